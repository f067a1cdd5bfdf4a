import type { ArmedWait, RunUpdate } from "../state/state.ts";
import type { RunView } from "./run-view.ts";

/** A timer that is due so soon is not worth a message, in milliseconds. */
const soonMs = 5_000;

/**
 * What a run has in the store besides its history and does not need any more, once it parks until `wakeAt` or is over.
 * Not before: where hosts share a store, an event that comes again because its host is gone must lead back to the run
 * for as long as that was held. Waits that were decided earlier are named again, since their host may have ended.
 */
export function leavings(
  runId: string,
  view: RunView,
  {
    timer,
    wakeAt,
    now,
  }: { readonly timer: number | undefined; readonly wakeAt?: number; readonly now: number },
): Pick<RunUpdate, "disarm" | "clears"> {
  const disarm: ArmedWait[] = [];
  for (const [wait, { status, key, until = now }] of view.waits) {
    if (key === undefined || (status === "armed" && view.finished === undefined)) continue;
    disarm.push({ key, runId, wait, until });
  }
  const unneeded = timer !== undefined && timer !== wakeAt && timer > now + soonMs;
  return { ...(disarm.length === 0 ? {} : { disarm }), ...(unneeded ? { clears: timer } : {}) };
}
