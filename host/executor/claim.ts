import type { Outcome, StoredEvent } from "../broker/broker.ts";
import { clockSkewMs } from "../clock.ts";
import type { Definition } from "../function/definition.ts";
import type { Runs, StoredRun } from "../state/state.ts";
import type { Definitions } from "./definitions.ts";
import { headerOfRun } from "../run/header.ts";
import type { HistoryEntry } from "../run/history.ts";
import { orphanReason } from "./kin.ts";
import { releaseStored } from "./release-stored.ts";
import type { RunLoopPorts, TakenRun } from "./run-loop-ports.ts";
import { applyEntry, foldHistory, type RunView } from "../run/run-view.ts";
import { transition } from "../run/transition.ts";

interface ClaimOptions {
  readonly runs: Runs;
  readonly definitions: Definitions;
  readonly ports: RunLoopPorts;
}

/**
 * Makes a stored run this host's own, unless it needs nothing, or another host has it: then how it is to be let go.
 * "raced": somebody has added to it meanwhile, or has taken it.
 */
export async function claimRun(
  run: StoredRun,
  offered: StoredEvent | undefined,
  { runs, definitions, ports }: ClaimOptions,
): Promise<TakenRun | Outcome | "raced"> {
  const { peers, host, clock, notices, live } = ports;
  const { history, revision, status, wakeAt: timer, host: holder } = run;
  const header = headerOfRun(run);
  const definition = await definitions.get(run.functionId, run.functionVersion);
  const view = foldHistory(history);
  const { event } = view;
  if (definition === undefined || event === undefined) {
    const message = `Run ${run.id} can't go on: version ${run.functionVersion} of ${run.functionId} is not in the store.`;
    notices.add({ level: "error", code: "ERR_VERSION_MISSING", functionId: run.functionId, message });
    return "done";
  }
  // One that was retried by hand is wanted, whoever invoked it once.
  const isWanted = history.some(({ type }) => type === "run.retried");
  // What it did is undone first, where it is being cancelled already.
  const isCancelling = view.cancelling !== undefined;
  if (!isWanted && !isCancelling && (await ports.kin.isOrphan(event))) {
    await ports.kin.cancel(run.id, orphanReason);
    return "done";
  }
  const taken = {
    header,
    definition,
    view: { ...view, event },
    timer,
    ...(offered === undefined ? {} : { offered: [offered] }),
  };
  const next = status === "running" ? undefined : lookAhead(definition, foldHistory(history), offered, ports);
  const now = clock.now();
  const firesAt = timer ?? Number.POSITIVE_INFINITY;
  // Its timer wakes it in time. One that has fired wakes it no more: the run is taken, and parks with the next.
  const asleep = next !== undefined && firesAt - now > ports.holdMs && next.idleUntil >= firesAt;
  if (asleep && offered !== undefined) return "done";
  if (peers === undefined) {
    const wasHeld = status === "running" && holder !== undefined;
    return { ...taken, revision, ...(wasHeld ? { origin: "orphan" } : {}) };
  }
  // This clock may be behind the one that fired the timer: then the wake must come once more.
  if (asleep) {
    await releaseStored(run, { ...ports, definitions, over: false });
    return firesAt - now <= clockSkewMs ? "lost" : "done";
  }
  const nudged =
    holder === undefined || holder === host ? "absent" : await peers.holds(holder, run.id, offered);
  if (nudged !== "absent") return nudged === "held" ? "lost" : "done";
  // From here on no other host can record anything for the run. What is decided already goes with it.
  const decided = next?.goesOn === true ? next.decided : [];
  const claimed = await runs.append(header, revision, decided, { status: "running", host });
  if (claimed === undefined) return "raced";
  if (decided.length === 0) return { ...taken, revision: claimed };
  for (const entry of decided) applyEntry(taken.view, entry);
  if (live.observed) {
    const { id: runId, functionId } = header;
    decided.forEach((entry, index) =>
      live.publish({
        type: "history",
        at: entry.at,
        runId,
        functionId,
        entry,
        seq: history.length + index + 1,
      }),
    );
  }
  return { ...taken, revision: claimed };
}

interface Ahead {
  readonly decided: readonly HistoryEntry[];
  /** Until when nothing is to be done for the run; 0 when something is, or soon. */
  readonly idleUntil: number;
  /** What is decided does not end the run, and nothing must be looked up for more. */
  readonly goesOn: boolean;
}

/** What is to be done for a run that nobody holds. `view` is spent. */
function lookAhead(
  definition: Definition,
  view: RunView,
  offered: StoredEvent | undefined,
  { clock, holdMs }: RunLoopPorts,
): Ahead {
  const now = clock.now();
  const moment = { now, underWay: new Set<string>(), offered: offered === undefined ? [] : [offered] };
  // Whoever wakes it may have been invoked by it.
  const looks = view.invoked.size > 0 && offered === undefined;
  const next = transition(definition, view, moment);
  const { decided, execute, wakeAt = Number.POSITIVE_INFINITY, look } = next;
  const idle = decided.length === 0 && execute.length === 0 && look === undefined && !looks;
  return {
    decided,
    idleUntil: idle && wakeAt - now > holdMs ? wakeAt : 0,
    goesOn: execute.length > 0 && look === undefined,
  };
}
