import { Option } from "commander";
import type { RunSummary } from "../../state/state.ts";
import type { DefineCommand } from "../program.ts";
import { defineRunCommands } from "./run-commands.ts";
import { addHostOptions, positiveInteger, type HostOptions } from "../host-options.ts";

interface ListOptions extends HostOptions {
  readonly function?: string;
  readonly status?: string;
  readonly event?: string;
  readonly user?: string;
  readonly limit: number;
}

const help = `
Examples:
  $ millrace runs ls --status failed
  $ millrace runs ls --function welcome --json
  $ millrace runs show            # the newest run
  $ millrace runs show 3fa9c1     # as the live log of dev names it
  $ millrace runs cancel 3fa9c1 --reason "wrong customer"
  $ millrace runs pause 3fa9c1    # and then: runs resume 3fa9c1
  $ millrace runs retry 3fa9c1 --from charge
  $ millrace runs retry 3fa9c1 --event '{"data":{"amount":12}}'
`;

export const defineRuns: DefineCommand = (command, act) => {
  command.addHelpText("afterAll", help);
  const ls = command.command("ls").alias("list").description("List runs, the newest first.");
  addHostOptions(ls)
    .option("--function <id>", "of this function")
    .addOption(
      new Option("--status <status>", "in this state").choices([
        "running",
        "parked",
        "paused",
        "completed",
        "failed",
        "cancelled",
      ]),
    )
    .option("--event <id>", "started by the event with this id")
    .option("--user <id>", "caused by this user")
    .option("--limit <n>", "so many at most", positiveInteger, 20)
    .action((options: ListOptions) =>
      act(async (terminal) => {
        const { createHostClient, listAll } = await import("../host-client.ts");
        const { function: of, status, event, user, limit } = options;
        const query = { function: of, status, event, user };
        const runs = await listAll<RunSummary>(createHostClient(options), "v1/runs", "runs", query, limit);
        if (terminal.json) return terminal.printJson({ runs });
        if (runs.length === 0) return terminal.note("No runs.");
        const { runTable } = await import("../run-text.ts");
        for (const line of runTable(runs, terminal)) terminal.print(line);
      }),
    );

  const show = command.command("show").description("Show one run: its steps, attempts, outputs and logs.");
  addHostOptions(show)
    .argument("[id]", "the run's id, or an end of it; the newest run without")
    .action((id: string | undefined, options: HostOptions) =>
      act(async (terminal) => {
        const { showRun } = await import("../run-show.ts");
        await showRun(id, options, terminal);
      }),
    );
  defineRunCommands(command, act);
};
