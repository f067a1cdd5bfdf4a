import type { StoredEvent } from "../../broker/broker.ts";
import { addHostOptions, positiveInteger, type HostOptions } from "../host-options.ts";
import type { DefineCommand } from "../program.ts";

interface ListOptions extends HostOptions {
  readonly name?: string;
  readonly limit: number;
}

const help = `
Examples:
  $ millrace events ls --name user/signed.up
  $ millrace events ls --limit 1000 --json
`;

export const defineEvents: DefineCommand = (command, act) => {
  command.addHelpText("afterAll", help);
  const ls = command.command("ls").alias("list").description("List stored events, the newest first.");
  addHostOptions(ls)
    .option("--name <name>", "of this name")
    .option("--limit <n>", "so many at most", positiveInteger, 20)
    .action((options: ListOptions) =>
      act(async (terminal) => {
        const { createHostClient, listAll } = await import("../host-client.ts");
        const { name, limit } = options;
        const client = createHostClient(options);
        const events = await listAll<StoredEvent>(client, "v1/events", "events", { name }, limit);
        if (terminal.json) return terminal.printJson({ events });
        if (events.length === 0) return terminal.note("No events.");
        const { preview, printable } = await import("../printable.ts");
        const { table } = await import("../table.ts");
        const { dateAndTime } = await import("../time.ts");
        const columns = ["EVENT", "NAME", "STORED", "DATA"].map((heading) => ({ heading }));
        const rows = events.map(({ event, storedAt }) => [
          printable(event.id),
          printable(event.name),
          dateAndTime(storedAt),
          preview(event.data, 60),
        ]);
        for (const line of table(columns, rows, (text) => terminal.out("dim", text))) terminal.print(line);
      }),
    );
};
