import type { Outcome, StoredEvent } from "../broker/broker.ts";
import type { Definition } from "../function/definition.ts";
import type { Runs, StoredRun } from "../state/state.ts";
import type { Definitions } from "./definitions.ts";
import type { RunLoopPorts, TakenRun } from "./run-loop-ports.ts";
import { foldHistory, type RunView } from "./run-view.ts";
import { transition } from "./transition.ts";

interface ClaimOptions {
  readonly runs: Runs;
  readonly definitions: Definitions;
  readonly ports: RunLoopPorts;
}

/** How far the clock of a host may be behind that of the store's server, in milliseconds. */
const clockSkewMs = 60_000;

/** Makes a stored run this host's own, unless it needs nothing, or another host has it: then how it is to be let go. */
export async function claimRun(
  run: StoredRun,
  offered: StoredEvent | undefined,
  { runs, definitions, ports }: ClaimOptions,
): Promise<TakenRun | Outcome> {
  const { peers, host, clock, notices } = ports;
  const { history, revision, ...header } = run;
  const definition = await definitions.get(run.functionId, run.functionVersion);
  const view = foldHistory(history);
  const { event } = view;
  if (definition === undefined || event === undefined) {
    const message = `Run ${run.id} can't go on: version ${run.functionVersion} of ${run.functionId} is not in the store.`;
    notices.add({ level: "error", code: "ERR_VERSION_MISSING", functionId: run.functionId, message });
    return "done";
  }
  const taken = {
    header,
    definition,
    view: { ...view, event },
    timer: run.wakeAt,
    ...(offered === undefined ? {} : { offered: [offered] }),
  };
  const wakesAt =
    run.status === "parked" || run.status === "paused"
      ? sleepsUntil(definition, foldHistory(history), offered, ports)
      : undefined;
  // A timer that is later than it must be does not wake it.
  const asleep = wakesAt !== undefined && wakesAt >= (run.wakeAt ?? Number.POSITIVE_INFINITY);
  if (asleep && offered !== undefined) return "done";
  if (peers === undefined) return { ...taken, revision };
  // This clock may be behind the one that fired the timer: then the wake must come once more.
  if (asleep) return wakesAt - clock.now() <= clockSkewMs ? "lost" : "done";
  const other = run.host === host ? undefined : run.host;
  const nudged = other === undefined ? "absent" : await peers.holds(other, run.id, offered);
  if (nudged !== "absent") return nudged === "held" ? "lost" : "done";
  // From here on no other host can record anything for the run.
  const claimed = await runs.append(header, revision, [], { status: "running", host });
  return claimed === undefined ? "lost" : { ...taken, revision: claimed };
}

/** Until when nothing is to be done for a run; undefined when something is, or soon. `view` is spent. */
function sleepsUntil(
  definition: Definition,
  view: RunView,
  offered: StoredEvent | undefined,
  { clock, holdMs }: RunLoopPorts,
): number | undefined {
  const now = clock.now();
  const moment = { now, underWay: new Set<string>(), offered: offered === undefined ? [] : [offered] };
  const next = transition(definition, view, moment);
  const { decided, execute, wakeAt = Number.POSITIVE_INFINITY, look } = next;
  const idle = decided.length === 0 && execute.length === 0 && look === undefined;
  return idle && wakeAt - now > holdMs ? wakeAt : undefined;
}
