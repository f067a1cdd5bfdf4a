import type { StepContext, StepEvent, StepInput } from "../../runtime/input.ts";
import type { Event } from "../event/event.ts";
import type { RunHeader } from "../state/state.ts";
import { outputsOf } from "./edges.ts";
import type { Execution } from "./execution.ts";
import type { RunView } from "./run-view.ts";

/** What a step is given: the event, the outputs of the steps before it, its item if it has one, and who runs it. */
export function stepInput(
  header: RunHeader,
  view: RunView & { readonly event: Event },
  execution: Execution,
  startedAt: number,
): StepInput {
  const { step, attempt, item } = execution;
  // Where a seed fixes the step's clock, that begins at the event's time.
  const seeded = step.program.capabilities?.seed !== undefined;
  const { traceparent, ...event } = view.event;
  const ctx: StepContext = {
    runId: header.id,
    functionId: header.functionId,
    functionVersion: header.functionVersion,
    stepId: step.id,
    attempt,
    deadline: (seeded ? view.event.ts : startedAt) + step.limits.wallMs,
    idempotencyKey: `${header.id}:${step.id}${roundOf(view, step.id)}${item === undefined ? "" : `:${item.index}`}`,
    ...(event.user === undefined ? {} : { user: event.user }),
    ...(traceparent === undefined ? {} : { traceparent }),
    ...failureOf(execution, view),
  };
  return {
    event,
    ...(view.events === undefined ? {} : { events: view.events.map(plain) }),
    steps: seenBy(execution, view),
    ...itemOf(execution),
    ...(execution.async === undefined ? {} : { async: plain(execution.async) }),
    ...(execution.undoes && { output: execution.undoes.output }),
    ctx,
  };
}

/** What a step does once more that was undone is not what it did at first. */
function roundOf({ rounds }: RunView, step: string): string {
  const round = rounds.get(step) ?? 0;
  return round === 0 ? "" : `~${round}`;
}

/** All items of a list see the outputs as they were when it was made. */
function seenBy({ step }: Execution, view: RunView): StepInput["steps"] {
  const items = view.items.get(step.id);
  if (step.forEach === undefined || items === undefined) return outputsOf(view, step.ancestors);
  return outputsOf(items.before, step.forEach.sees);
}

function itemOf({ item }: Execution): Pick<StepInput, "item" | "index"> {
  return item === undefined ? {} : { item: item.value, index: item.index };
}

/** What a step sees of an event: where its trace goes on is the run's own. */
function plain(stored: Event): StepEvent {
  const { traceparent: _, ...event } = stored;
  return event;
}

/** The failure by which the step is reached, or why the run failed. */
function failureOf({ failure }: Execution, { failed }: RunView): Pick<StepContext, "failure"> {
  if (failure !== undefined) return { failure };
  return failed === undefined ? {} : { failure: { ...failed.failure, ...stepOf(failed) } };
}

function stepOf({ step }: { readonly step?: string }): { readonly step?: string } {
  return step === undefined ? {} : { step };
}
