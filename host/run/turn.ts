import type { Definition } from "../function/definition.ts";
import type { HistoryEntry } from "./history.ts";
import type { RunView } from "./run-view.ts";

interface Turn {
  /** Nothing else of the run is decided before its time has come. */
  readonly waits: boolean;
  /** When the run must be looked at because of its turn; infinite when it need not. */
  readonly wakeAt: number;
}

const never = Number.POSITIVE_INFINITY;

/** Whether a run waits for its turn and has not executed anything. */
export function isWaitingToBegin({ queued, steps, items }: RunView): boolean {
  return queued !== undefined && steps.size === 0 && items.size === 0;
}

/** When a run has waited too long to begin; infinite when it has begun, or may wait for good. */
export function latestBeginning({ startTimeoutMs = never }: Definition, view: RunView): number {
  return isWaitingToBegin(view) ? view.createdAt + startTimeoutMs : never;
}

/** Decides what can be decided of a run that waits for its turn: its time has come, or it has waited too long to begin. */
export function decideTurn(
  definition: Definition,
  view: RunView,
  { now }: { readonly now: number },
  decide: (entry: HistoryEntry) => void,
): Turn {
  const { queued } = view;
  if (queued === undefined) return { waits: false, wakeAt: never };
  const tooLate = latestBeginning(definition, view);
  if (tooLate <= now) {
    const reason = `it waited longer than the function's startTimeout for its turn (${queued.reason})`;
    decide({ type: "run.cancelled", at: now, reason });
    return { waits: false, wakeAt: never };
  }
  const { until } = queued;
  if (until === undefined) return { waits: false, wakeAt: tooLate };
  if (until > now) return { waits: true, wakeAt: Math.min(until, tooLate) };
  decide({ type: "run.admitted", at: now });
  return { waits: false, wakeAt: never };
}

/** What ends a run that would begin later after its event was stored than its function allows. */
export function lateEntry(
  { startTimeoutMs = Number.POSITIVE_INFINITY }: Definition,
  storedAt: number,
  at: number,
): Extract<HistoryEntry, { type: "run.cancelled" }> | undefined {
  if (at - storedAt <= startTimeoutMs) return undefined;
  return { type: "run.cancelled", at, reason: "its event was older than the function's startTimeout" };
}
