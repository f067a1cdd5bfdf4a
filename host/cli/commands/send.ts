import type { DefineCommand } from "../program.ts";

interface SendOptions {
  readonly data?: string;
  readonly user?: string;
  readonly url?: string;
  readonly key?: string;
}

const help = `
Examples:
  $ millrace send user/signed.up --data '{"plan":"pro"}' --user ada
  $ millrace send '{"name":"order/placed","data":{"id":7}}'
  $ millrace send examples/order/event.json
  $ cat events.json | millrace send - --url https://events.example.com --key $KEY
`;

export const defineSend: DefineCommand = (command, act) => {
  command
    .argument("<event>", "JSON of one event or an array, a file of it, - for stdin, or an event's name")
    .option("--data <json>", "the event's data: JSON, a file, or -")
    .option("--user <user>", "the event's user: an id, or JSON")
    .option("--url <url>", "the host (default: MILLRACE_URL, or millrace dev on this machine)")
    .option("--key <key>", "the event key (default: MILLRACE_KEY, or dev)")
    .addHelpText("after", help)
    .action((source: string, options: SendOptions) =>
      act(async (terminal) => {
        const { readEvents, isObject } = await import("../event-source.ts");
        const { createHostClient } = await import("../host-client.ts");
        const events = await readEvents(source, options);
        const key = options.key ?? process.env["MILLRACE_KEY"] ?? "dev";
        const client = createHostClient(options);
        const answer = await client.post(
          `e/${encodeURIComponent(key)}`,
          events.length === 1 ? events[0] : events,
        );
        if (terminal.json) return terminal.printJson(answer);
        const { ids = [] } = answer as { ids?: readonly string[] };
        for (const [index, id] of ids.entries()) {
          const event = events[index];
          const name = isObject(event) ? String(event["name"]) : "";
          terminal.print(`${terminal.out("green", "sent")}  ${name}  ${terminal.out("dim", id)}`);
        }
      }),
    );
};
