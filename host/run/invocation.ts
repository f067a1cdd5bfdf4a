import { createHash } from "node:crypto";
import { v7 } from "uuid";
import type { AttemptResult } from "../../runtime/driver.ts";
import { runtimeErrors, type RuntimeErrorCode } from "../../runtime/errors.ts";
import { type Event, largestEvent } from "../event/event.ts";
import { invokeEventName } from "../function/define-invoke.ts";
import type { Definition, InvokeDefinition, StepDefinition } from "../function/definition.ts";
import type { StoredRun } from "../state/state.ts";
import { ancestryOf, deepest, descended } from "./ancestry.ts";
import { awaitedBy, runScope, type EdgeMoment } from "./edges.ts";
import { nextAttempt } from "./execution.ts";
import type { HistoryEntry } from "./history.ts";
import { outputOfRun } from "./output.ts";
import { runId } from "./run-id.ts";
import { foldHistory, type RunView } from "./run-view.ts";

/** A run that a step has invoked, and that has not ended as far as the run knows. */
export type Invoked = Extract<HistoryEntry, { readonly type: "step.invoked" }>;

/** How long after the beginning an invoked run is looked at first, without having been heard of; then after twice that, and so on. */
const firstLookMs = 30_000;

/** Begins an attempt of a step that invokes a function, or says why it can't: pure, so that it is the same wherever it is decided. */
export function invocation(
  definition: Definition,
  step: StepDefinition & { readonly invoke: InvokeDefinition },
  view: RunView,
  moment: EdgeMoment,
): HistoryEntry {
  const { now: at } = moment;
  const { event } = view;
  const { attempt } = nextAttempt(view, step.id, undefined, view.steps.get(step.id)?.attempts);
  const fail = (code: RuntimeErrorCode, message: string): HistoryEntry => {
    const { id, caught } = step;
    const failed = {
      type: "step.failed",
      at,
      step: id,
      attempt,
      startedAt: at,
      failure: { code, message },
    } as const;
    return { ...failed, ...(caught && { caught }) };
  };
  if (event === undefined) return fail("ERR_STEP_INVOKE_DATA", "The run has no event.");
  if (ancestryOf(event).depth >= deepest) {
    const message = `The run is the ${deepest}th of runs that were started by each other; it may invoke none.`;
    return fail("ERR_STEP_INVOKE_DEPTH", message);
  }
  const { functionId, data, timeoutMs } = step.invoke;
  const [edge] = step.edges;
  const from = step.edges.length === 1 && edge !== undefined ? edge.from : "";
  const async = awaitedBy(step, view, moment);
  const made = data(runScope(event, view, { steps: step.ancestors, from, async }));
  if (made.kind !== "value") return fail("ERR_STEP_INVOKE_DATA", `The data can't be made: ${made.message}.`);
  const { value } = made;
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return fail("ERR_STEP_INVOKE_DATA", "The data of an event must be an object, and is none.");
  }
  const own = runId(definition.id, event.id);
  const { attributes, ...traced } = descended(event, { runId: own, step: step.id });
  const started: Event = {
    id: idOf(own, step.id, attempt, at),
    name: invokeEventName(functionId),
    data: value,
    ...(event.user === undefined ? {} : { user: event.user }),
    ts: at,
    ...traced,
    attributes: { ...attributes, [attemptAttribute]: attempt },
  };
  if (Buffer.byteLength(JSON.stringify(started)) > largestEvent) {
    return fail("ERR_STEP_INVOKE_DATA", `The event has more than ${largestEvent} bytes as JSON.`);
  }
  return {
    type: "step.invoked",
    at,
    step: step.id,
    attempt,
    functionId,
    runId: runId(functionId, started.id),
    event: started,
    ...(timeoutMs === undefined ? {} : { until: at + timeoutMs }),
  };
}

const attemptAttribute = "millraceattempt";

/** The run, step and attempt that wait for the run of this event; undefined: none do. */
export function invokerOf(
  event: Event,
): { readonly runId: string; readonly step: string; readonly attempt: number } | undefined {
  const attempt = event.attributes?.[attemptAttribute];
  const { runId: id, step } = ancestryOf(event);
  if (typeof attempt !== "number" || id === undefined || step === undefined) return undefined;
  return { runId: id, step, attempt };
}

/** The same event, of which nobody waits for the run. */
export function unawaited({ attributes, ...event }: Event): Event {
  if (attributes === undefined) return event;
  const { [attemptAttribute]: _, ...others } = attributes;
  return { ...event, attributes: others };
}

function idOf(run: string, step: string, attempt: number, at: number): string {
  const digest = createHash("sha256")
    .update(JSON.stringify(["invoke", run, step, attempt]))
    .digest();
  return v7({ msecs: at, random: digest.subarray(0, 16) });
}

/** When an invoked run must be looked at again that was looked at then: it should have told, and its time may be over. */
export function nextLook({ at, until = Number.POSITIVE_INFINITY }: Invoked, last: number): number {
  let look = at + firstLookMs;
  for (let pause = firstLookMs; look <= last; pause *= 2) look += pause;
  return until > last ? Math.min(look, until) : look;
}

/** What an invoked run comes to as the attempt that waits for it; undefined while it goes on. */
export function outcomeOf(
  invoked: Invoked,
  child: StoredRun,
  ended?: RuntimeErrorCode,
): AttemptResult | undefined {
  if (child.finishedAt === undefined) return undefined;
  const { functionId, runId: id } = invoked;
  const name = `Run ${id} of ${functionId}`;
  const view = foldHistory(child.history);
  if (child.status === "completed") return { ok: true, output: outputOfRun(view) ?? null, logs: [] };
  if (child.status === "failed") {
    const { step, failure } = view.failed ?? { failure: { code: "", message: "" } };
    const where = step === undefined ? "" : ` at step ${step}`;
    return failedWith(
      "ERR_STEP_INVOKED_FAILED",
      `${name} failed${where}: ${failure.code} ${failure.message}`,
    );
  }
  if (ended === "ERR_STEP_INVOKE_TIMEOUT")
    return failedWith(ended, `${name} took longer than \`invoke.timeout\`.`);
  const last = child.history.findLast((entry) => entry.type === "run.cancelled");
  const reason = last?.reason === undefined ? "" : `: ${last.reason}`;
  return failedWith("ERR_STEP_INVOKED_CANCELLED", `${name} was cancelled${reason}.`);
}

/** An attempt that failed so. */
export function failedWith(code: RuntimeErrorCode, message: string): AttemptResult {
  return { ok: false, failure: { code, message, retry: runtimeErrors[code].retry }, logs: [] };
}
