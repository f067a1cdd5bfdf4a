import { hasProgram, type Definition, type StepDefinition } from "../function/definition.ts";
import { compensate } from "./compensate.ts";
import { executionOf, type Execution } from "./execution.ts";
import type { HistoryEntry } from "./history.ts";
import { invoke, looksAt } from "./invoking.ts";
import { stepOfPlace } from "./place.ts";
import type { RunView } from "./run-view.ts";
import { undone } from "./undoing.ts";
import type { WaitMoment } from "./wait-decisions.ts";

/** What is next for a run that has failed, or is to be cancelled. */
interface Ending {
  readonly execute: readonly Execution[];
  readonly wakeAt?: number;
  readonly abandon?: boolean;
}

const nothing: Ending = { execute: [] };

/**
 * A run that does not go on: what is under way may end, and nothing new starts but the compensations, and after them the
 * `onFailure` step of one that has failed.
 */
export function decideEnding(
  definition: Definition,
  view: RunView,
  moment: WaitMoment,
  decide: (entry: HistoryEntry) => void,
): Ending {
  const { onFailure: handler, compensations = new Map<string, StepDefinition>() } = definition;
  const { now, underWay } = moment;
  const apart = new Set([handler?.id, ...[...compensations.values()].map(({ id }) => id)]);
  if ([...underWay].some((place) => !apart.has(stepOfPlace(place)))) {
    // A run that has no time left has none for what is under way either.
    const outOfTime = view.cancelling === undefined && view.failed?.step === undefined;
    return outOfTime ? { ...nothing, abandon: true } : nothing;
  }
  const waiting = (): Ending => ({ execute: [], wakeAt: looksAt(view, moment) });
  if ([...view.invoked.keys()].some((step) => !apart.has(step)))
    return underWay.size > 0 ? nothing : waiting();
  const compensating = compensate(definition, view, moment, decide);
  if (compensating !== undefined) return view.paused === true ? nothing : compensating;
  if (view.cancelling !== undefined) {
    // The `onFailure` step is not run for one that is cancelled, even if it failed before.
    if (underWay.size > 0) return { ...nothing, abandon: true };
    decide({ type: "run.cancelled", at: now, ...view.cancelling, ...undone(view) });
    return nothing;
  }
  if (underWay.size > 0 || view.failed === undefined) return nothing;
  if (view.invoked.size > 0) return waiting();
  const handled = handler === undefined ? undefined : view.steps.get(handler.id);
  if (handler !== undefined && (handled === undefined || handled.status === "retrying")) {
    if (view.paused === true) return nothing;
    if (handled !== undefined && handled.at > now) return { execute: [], wakeAt: handled.at };
    if (hasProgram(handler)) return { execute: [executionOf(handler, view, moment)] };
    invoke(definition, handler, view, moment, decide);
    if (view.invoked.size > 0) return waiting();
  }
  const { step, failure } = view.failed;
  const why = { ...failure, ...(step === undefined ? {} : { step }) };
  decide({ type: "run.failed", at: now, failure: why, ...undone(view) });
  return nothing;
}
