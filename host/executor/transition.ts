import type { Event } from "../event/event.ts";
import type { Definition, StepDefinition } from "../function/definition.ts";
import { awaitedBy, joined, type EdgeState } from "./edges.ts";
import type { HistoryEntry } from "./history.ts";
import { applyEntry, type RunView } from "./run-view.ts";
import { decideWaits, type WaitLook, type WaitMoment } from "./wait-decisions.ts";

/** An attempt that may start now. */
export interface Execution {
  readonly step: StepDefinition;
  /** 1 for the first. */
  readonly attempt: number;
  /** The event that was waited for last on the way to the step. */
  readonly async?: Event;
}

/** What is next for a run. */
export interface Transition {
  /** Decisions to append to the history before anything else happens; already folded into the view. */
  readonly decided: readonly HistoryEntry[];
  readonly execute: readonly Execution[];
  /** When the run must be looked at again even if nothing happens to it. */
  readonly wakeAt?: number;
  /** What must be looked up in the store before the rest is decided. */
  readonly look?: readonly WaitLook[];
}

/** What transition may not find out by itself; an edge whose expression could not be evaluated is not taken. */
export type Moment = WaitMoment;

/**
 * Decides what is next for a run: which steps are skipped, which attempts may start, whether the run is over.
 * Depends on its arguments alone, and folds what it decides into `view`.
 */
export function transition(definition: Definition, view: RunView, moment: Moment): Transition {
  if (view.finished !== undefined) return { decided: [], execute: [] };
  if (view.failed !== undefined) return failing(definition, view, moment);

  const decided: HistoryEntry[] = [];
  for (;;) {
    const before = decided.length;
    const { look, wakeAt } = decideWaits(definition, view, moment, (entry) => decide(view, decided, entry));
    const steps = decideSteps(definition, view, moment, decided);
    // What was decided of the steps may be news to the waits.
    if (decided.length > before && definition.waits.size > 0 && view.finished === undefined) continue;
    const earliest = Math.min(wakeAt, steps.wakeAt);
    return {
      decided,
      execute: steps.execute,
      ...(earliest === Number.POSITIVE_INFINITY ? {} : { wakeAt: earliest }),
      ...(look.length === 0 ? {} : { look }),
    };
  }
}

/** Which steps are skipped, which attempts may start, whether the run is over. */
function decideSteps(
  definition: Definition,
  view: RunView,
  moment: Moment,
  decided: HistoryEntry[],
): { readonly execute: readonly Execution[]; readonly wakeAt: number } {
  const { now, underWay } = moment;
  const execute: Execution[] = [];
  let wakeAt = Number.POSITIVE_INFINITY;
  let settled = true;

  for (const step of definition.steps.values()) {
    const known = view.steps.get(step.id);
    if (known?.status === "completed" || known?.status === "skipped") continue;
    if (underWay.has(step.id)) {
      settled = false;
      continue;
    }
    const state: EdgeState =
      known === undefined
        ? joined(step, view, moment)
        : { kind: known.at > now ? "waiting" : "taken", until: known.at };
    if (state.kind === "dead") {
      decide(view, decided, { type: "step.skipped", at: now, step: step.id });
      continue;
    }
    settled = false;
    if (state.kind === "taken") execute.push(executionOf(step, view, moment));
    if (state.kind === "waiting") wakeAt = Math.min(wakeAt, state.until);
  }

  if (settled) decide(view, decided, { type: "run.completed", at: now });
  return { execute, wakeAt };
}

function executionOf(step: StepDefinition, view: RunView, moment: Moment): Execution {
  const async = awaitedBy(step, view, moment);
  return {
    step,
    attempt: (view.steps.get(step.id)?.attempts ?? 0) + 1,
    ...(async === undefined ? {} : { async }),
  };
}

/** A step has failed for good: what is under way may end, nothing new starts but the `onFailure` step. */
function failing(definition: Definition, view: RunView, moment: Moment): Transition {
  const { now, underWay } = moment;
  const { failed } = view;
  if (failed === undefined || underWay.size > 0) return { decided: [], execute: [] };
  const handler = definition.onFailure;
  const handled = handler === undefined ? undefined : view.steps.get(handler.id);
  if (handler !== undefined && (handled === undefined || handled.status === "retrying")) {
    if (handled !== undefined && handled.at > now) return { decided: [], execute: [], wakeAt: handled.at };
    return { decided: [], execute: [executionOf(handler, view, moment)] };
  }
  const decided: HistoryEntry[] = [];
  decide(view, decided, { type: "run.failed", at: now, failure: { ...failed.failure, step: failed.step } });
  return { decided, execute: [] };
}

function decide(view: RunView, decided: HistoryEntry[], entry: HistoryEntry): void {
  applyEntry(view, entry);
  decided.push(entry);
}
