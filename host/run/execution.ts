import type { Json } from "../../runtime/json.ts";
import type { Event } from "../event/event.ts";
import type { ProgramStep, StepDefinition } from "../function/definition.ts";
import { awaitedBy, caughtFailure, type EdgeMoment, type StepFailed } from "./edges.ts";
import { placeOf } from "./place.ts";
import type { RunState } from "./run-state.ts";
import type { RunView } from "./run-view.ts";

/** An attempt that may start now. */
export interface Execution {
  readonly step: ProgramStep;
  /** 1 for the first. */
  readonly attempt: number;
  /** How many of the attempts before do not count for the retry policy. */
  readonly earlier?: number;
  /** The event that was waited for last on the way to the step. */
  readonly async?: Event;
  /** The failure by which the step is reached. */
  readonly failure?: StepFailed;
  /** The item of the step's list that it is for. */
  readonly item?: { readonly index: number; readonly value: Json };
  /** What the step is to undo: what another, or an item of it, put out. */
  readonly undoes?: { readonly output: Json };
}

/** The next attempt of a step without items. */
export function executionOf(step: ProgramStep, view: RunView, moment: EdgeMoment): Execution {
  return {
    step,
    ...nextAttempt(view, step.id, undefined, view.steps.get(step.id)?.attempts),
    ...reachedBy(step, view, moment),
  };
}

/** The number of the attempt after `made`, or after what was made of the step before it was to run anew. */
export function nextAttempt(
  view: RunView,
  step: string,
  item: number | undefined,
  made: number | undefined,
): Pick<Execution, "attempt" | "earlier"> {
  const earlier = view.earlierAttempts.get(placeOf(step, item)) ?? 0;
  return { attempt: (made ?? earlier) + 1, ...(earlier === 0 ? {} : { earlier }) };
}

/** What led to a step besides its outputs. */
export function reachedBy(
  step: StepDefinition,
  state: RunState,
  moment: EdgeMoment,
): Pick<Execution, "async" | "failure"> {
  const async = awaitedBy(step, state, moment);
  const failure = caughtFailure(step, state, moment);
  return { ...(async === undefined ? {} : { async }), ...(failure === undefined ? {} : { failure }) };
}
