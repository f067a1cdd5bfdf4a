import type { RunDetail } from "../run/view.ts";
import type { RunSummary } from "../state/state.ts";
import { CliError } from "./errors.ts";
import { createHostClient, listAll, type HostClient } from "./host-client.ts";
import type { HostOptions } from "./host-options.ts";
import { runLines, type AttemptLogs } from "./run-text.ts";
import type { Terminal } from "./terminal.ts";

/** Newest runs among which a shortened id is looked for. */
const searched = 1_000;

/** Prints one run of a host. Throws ERR_USAGE when a shortened id names none, or several. */
export async function showRun(
  given: string | undefined,
  options: HostOptions,
  terminal: Terminal,
): Promise<void> {
  const client = createHostClient(options);
  const id = encodeURIComponent(await fullRunId(client, given));
  const [run, { logs }] = await Promise.all([
    client.get(`v1/runs/${id}`) as Promise<RunDetail>,
    client.get(`v1/runs/${id}/logs`) as Promise<{ logs: readonly AttemptLogs[] }>,
  ]);
  if (terminal.json) return terminal.printJson({ ...run, logs });
  for (const line of runLines(run, logs, Date.now(), terminal)) terminal.print(line);
}

/** The id of the run that an end of it names; the newest run's without. */
export async function fullRunId(client: HostClient, given: string | undefined): Promise<string> {
  if (given === undefined) {
    const [newest] = await listAll<RunSummary>(client, "v1/runs", "runs", {}, 1);
    if (newest !== undefined) return newest.id;
    throw new CliError("ERR_USAGE", "The host has no runs yet.", {
      next: "Send it an event: millrace send …",
    });
  }
  // A run's id has 32 digits; what is much shorter is an end of one.
  if (given.length >= 32 || given.length < 4) return given;
  const runs = await listAll<RunSummary>(client, "v1/runs", "runs", {}, searched);
  const found = runs.filter(({ id }) => id.startsWith(given) || id.endsWith(given));
  const [only] = found;
  if (found.length > 1) {
    const ids = found.slice(0, 5).map(({ id }) => id);
    throw new CliError("ERR_USAGE", `${given} is an end of ${found.length} runs: ${ids.join(", ")}.`, {
      next: "Write more of the id.",
    });
  }
  return only?.id ?? given;
}
