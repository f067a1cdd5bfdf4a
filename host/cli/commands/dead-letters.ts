import type { DeadLetter } from "../../broker/broker.ts";
import { addHostOptions, positiveInteger, type HostOptions } from "../host-options.ts";
import type { DefineCommand } from "../program.ts";

interface ListOptions extends HostOptions {
  readonly limit: number;
}

const help = `
A message that a client published on a subject of events, and that is no event, becomes a dead letter.

Examples:
  $ millrace dead-letters ls
  $ millrace dead-letters show 7
  $ millrace dead-letters resubmit 7     # as it is: once the schema that refused it is mended
  $ millrace dead-letters discard 7 8
`;

export const defineDeadLetters: DefineCommand = (command, act) => {
  command.addHelpText("afterAll", help);
  const ls = command.command("ls").alias("list").description("List dead letters, the oldest first.");
  addHostOptions(ls)
    .option("--limit <n>", "so many at most", positiveInteger, 20)
    .action((options: ListOptions) =>
      act(async (terminal) => {
        const { createHostClient, listAll } = await import("../host-client.ts");
        const client = createHostClient(options);
        const deadLetters = await listAll<DeadLetter>(
          client,
          "v1/dead-letters",
          "deadLetters",
          {},
          options.limit,
        );
        if (terminal.json) return terminal.printJson({ deadLetters });
        if (deadLetters.length === 0) return terminal.note("No dead letters.");
        const { deadLetterTable } = await import("../dead-letter-text.ts");
        for (const line of deadLetterTable(deadLetters, terminal)) terminal.print(line);
      }),
    );

  const show = command.command("show").description("Show one: why it is no event, and as it was published.");
  addHostOptions(show)
    .argument("<seq>", "its number", positiveInteger)
    .action((seq: number, options: HostOptions) =>
      act(async (terminal) => {
        const { createHostClient } = await import("../host-client.ts");
        const deadLetter = (await createHostClient(options).get(`v1/dead-letters/${seq}`)) as DeadLetter;
        if (terminal.json) return terminal.printJson(deadLetter);
        const { deadLetterLines } = await import("../dead-letter-text.ts");
        for (const line of deadLetterLines(deadLetter, terminal)) terminal.print(line);
      }),
    );

  for (const [name, done, description] of [
    ["resubmit", "resubmitted", "Publish some once more as they are, and take them off the list."],
    ["discard", "discarded", "Take some off the list, for good."],
  ] as const) {
    addHostOptions(command.command(name).description(description))
      .argument("<seq...>", "their numbers", (text: string, before: readonly number[] | undefined) => [
        ...(before ?? []),
        positiveInteger(text),
      ])
      .action((seqs: readonly number[], options: HostOptions) =>
        act(async (terminal) => {
          const { createHostClient } = await import("../host-client.ts");
          const client = createHostClient(options);
          for (const seq of seqs) {
            if (name === "discard") await client.delete(`v1/dead-letters/${seq}`);
            else await client.post(`v1/dead-letters/${seq}/resubmit`, {});
            if (!terminal.json) terminal.print(`${terminal.out("green", done)}  ${seq}`);
          }
          if (terminal.json) terminal.printJson({ [done]: seqs });
        }),
      );
  }
};
