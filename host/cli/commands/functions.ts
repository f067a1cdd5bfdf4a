import { addHostOptions, type HostOptions } from "../host-options.ts";
import type { DefineCommand } from "../program.ts";

const help = `
Examples:
  $ millrace functions ls
  $ millrace functions ls --json --url https://events.example.com
`;

export const defineFunctions: DefineCommand = (command, act) => {
  command.addHelpText("afterAll", help);
  const ls = command.command("ls").alias("list").description("List the active functions.");
  addHostOptions(ls).action((options: HostOptions) =>
    act(async (terminal) => {
      const { createHostClient, listFunctions } = await import("../host-client.ts");
      const functions = await listFunctions(createHostClient(options));
      if (terminal.json) return terminal.printJson({ functions });
      if (functions.length === 0) return terminal.note("No functions.");
      const { printable } = await import("../printable.ts");
      const { triggerText } = await import("../trigger-text.ts");
      const { table } = await import("../table.ts");
      const columns = ["FUNCTION", "VERSION", "TRIGGERS", "STEPS"].map((heading) => ({ heading }));
      const rows = functions.map(({ id, version, triggers, steps }) => [
        id,
        version,
        printable(triggers.map((trigger) => triggerText(trigger)).join(", ")),
        steps.join(", "),
      ]);
      for (const line of table(columns, rows, (text) => terminal.out("dim", text))) terminal.print(line);
    }),
  );
};
