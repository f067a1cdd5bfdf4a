import type { Command } from "commander";
import type { Json } from "../../../runtime/json.ts";
import type { RunSummary } from "../../state/state.ts";
import { addHostOptions, type HostOptions } from "../host-options.ts";
import type { Act } from "../program.ts";

interface RetryOptions extends HostOptions {
  readonly from?: string;
  readonly event?: string;
  readonly data?: string;
}

/** `runs cancel`, `pause`, `resume` and `retry`. */
export function defineRunCommands(command: Command, act: Act): void {
  const one = (name: string, description: string): Command =>
    addHostOptions(command.command(name).description(description)).argument(
      "<id>",
      "the run's id, or an end of it",
    );
  const reason = (name: "cancel" | "pause", description: string, done: string): void => {
    one(name, description)
      .option("--reason <text>", "kept in the run's history")
      .action((id: string, options: HostOptions & { readonly reason?: string }) =>
        act((terminal) =>
          ask(
            {
              id,
              options,
              path: name,
              done,
              body: options.reason === undefined ? {} : { reason: options.reason },
            },
            terminal,
          ),
        ),
      );
  };
  reason("cancel", "Cancel a run: what is under way is ended.", "cancelled");
  reason("pause", "Pause a run: no step starts until it is resumed.", "paused");
  one("resume", "Resume a run that was paused.").action((id: string, options: HostOptions) =>
    act((terminal) => ask({ id, options, path: "resume", done: "resumed", body: {} }, terminal)),
  );
  one("retry", "Have a run that is over go on, or run its function again with another event.")
    .option("--from <step>", "go on with this step and all behind it")
    .option(
      "--event <file|json|->",
      "a new run on the active version: the fields given take the place of the run's own event's; {} changes none",
    )
    .option("--data <file|json|->", "the same with this in place of the event's data alone")
    .action((id: string, options: RetryOptions) =>
      act(async (terminal) => {
        const { from } = options;
        if (from !== undefined && (options.event ?? options.data) !== undefined) throw await eitherOr();
        const event = await editedEvent(options);
        const done = event === undefined ? "goes on" : "begins, another try";
        const body = { ...(from === undefined ? {} : { from }), ...(event === undefined ? {} : { event }) };
        await ask({ id, options, path: "retry", done, body }, terminal);
      }),
    );
}

async function eitherOr(): Promise<Error> {
  const { CliError } = await import("../errors.ts");
  return new CliError(
    "ERR_USAGE",
    "--from has the run go on with its own event, and --event and --data have a new one begin: give one of them.",
  );
}

/** What another try is to have in its event. */
async function editedEvent({ event, data }: RetryOptions): Promise<Json | undefined> {
  const { isObject, readJson } = await import("../event-source.ts");
  const fields = event === undefined ? undefined : ((await readJson(event)) as Json);
  if (data === undefined) return fields;
  const others = isObject(fields) ? (fields as Readonly<Record<string, Json>>) : {};
  return { ...others, data: (await readJson(data)) as Json };
}

interface Asked {
  readonly id: string;
  readonly options: HostOptions;
  readonly path: string;
  readonly done: string;
  readonly body: Readonly<Record<string, Json>>;
}

async function ask(
  { id, options, path, done, body }: Asked,
  terminal: Parameters<Parameters<Act>[0]>[0],
): Promise<void> {
  const [{ createHostClient }, { fullRunId }] = await Promise.all([
    import("../host-client.ts"),
    import("../run-show.ts"),
  ]);
  const client = createHostClient(options);
  const run = (await client.post(
    `v1/runs/${encodeURIComponent(await fullRunId(client, id))}/${path}`,
    body,
  )) as RunSummary;
  if (terminal.json) return terminal.printJson(run);
  terminal.print(`${run.id} ${done}`);
}
