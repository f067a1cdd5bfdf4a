import type { Attempt, AttemptResult, Driver, RuntimeName } from "../../runtime/driver.ts";
import { runtimeErrors } from "../../runtime/errors.ts";
import type { StepContext, StepEvent, StepInput } from "../../runtime/input.ts";
import type { Random } from "../clock.ts";
import type { Event } from "../event/event.ts";
import type { StepDefinition } from "../function/definition.ts";
import type { RunHeader } from "../state/state.ts";
import { outputsOf } from "./edges.ts";
import { emissionOf } from "./emission.ts";
import type { HistoryEntry } from "./history.ts";
import type { Outbox } from "./outbox.ts";
import { noDriver } from "./readiness.ts";
import { placeOf } from "./place.ts";
import { retryAt } from "./retry.ts";
import type { RunView } from "./run-view.ts";
import type { Execution } from "./execution.ts";

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

/** Has the step's driver run it. A driver that throws, or is not there, becomes a failure. */
export async function runAttempt(
  drivers: ReadonlyMap<RuntimeName, Driver>,
  execution: Execution,
  given: Omit<Attempt, "program" | "limits">,
): Promise<AttemptResult> {
  const { program, limits } = execution.step;
  const driver = drivers.get(program.runtime.type);
  if (driver === undefined) return { ok: false, failure: noDriver(program.runtime.type), logs: [] };
  try {
    return await driver.execute({ ...given, program, limits });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const { retry } = runtimeErrors.ERR_ENGINE_BROKEN;
    return { ok: false, failure: { code: "ERR_ENGINE_BROKEN", message, retry }, logs: [] };
  }
}

/** An attempt's result, with the events that it emits. */
type EmittingResult = AttemptResult & { readonly emits?: readonly Event[] };

/** Takes what a step emits off its output; what can't be published is the attempt's failure. */
export function emittedResult(
  result: AttemptResult,
  execution: Execution,
  run: {
    readonly header: RunHeader;
    readonly view: RunView & { readonly event: Event };
    readonly at: number;
  },
  check: Outbox["check"],
): EmittingResult {
  const { id, program } = execution.step;
  const allowed = program.capabilities?.emit;
  if (!result.ok || allowed === undefined) return result;
  const { header, view, at } = run;
  const { id: runId, functionId } = header;
  const { event, startedAt } = view;
  const emission = emissionOf(result.output, {
    runId,
    functionId,
    step: placeOf(id, execution.item?.index),
    event,
    startedAt,
    at,
    allowed,
    check,
  });
  if (emission.ok) return { ...result, output: emission.output, emits: emission.events };
  const { output: _, ok: __, ...traces } = result;
  return { ...traces, ok: false, failure: emission.failure };
}

/** What the history says of an attempt that has ended. */
export function attemptEntry(
  execution: Pick<Execution, "attempt" | "earlier" | "item"> & {
    readonly step: Pick<StepDefinition, "id" | "retry" | "caught">;
  },
  result: EmittingResult,
  times: { readonly startedAt: number; readonly at: number },
  random: Random,
): HistoryEntry {
  const { step, attempt, item } = execution;
  const recorded = {
    step: step.id,
    attempt,
    ...times,
    ...(result.logs.length === 0 ? {} : { logs: result.logs }),
    ...(result.ran === undefined ? {} : { ran: result.ran }),
    ...(result.completion === undefined ? {} : { completion: result.completion }),
  };
  if (result.ok) {
    const { output, emits = [] } = result;
    const emitted = emits.length === 0 ? {} : { emits };
    if (item === undefined) return { type: "step.completed", ...recorded, output, ...emitted };
    const bytes = Buffer.byteLength(JSON.stringify(output));
    return { type: "item.completed", item: item.index, ...recorded, bytes, output, ...emitted };
  }
  const { failure } = result;
  const counted = attempt - (execution.earlier ?? 0);
  const next = retryAt(step.retry, { failure, attempt: counted, at: times.at }, random);
  const failed = {
    ...recorded,
    failure: { code: failure.code, message: failure.message },
    ...(next === undefined ? {} : { retryAt: next }),
  };
  return item === undefined
    ? { type: "step.failed", ...failed, ...(next === undefined && step.caught && { caught: true }) }
    : { type: "item.failed", item: item.index, ...failed };
}
