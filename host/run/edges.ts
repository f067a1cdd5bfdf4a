import type { Json } from "../../runtime/json.ts";
import type { Event } from "../event/event.ts";
import type { EdgeDefinition, StepDefinition, WaitDefinition } from "../function/definition.ts";
import { triggerStep } from "../function/document.ts";
import type { Evaluation, Scope, ValueExpression } from "../function/expression.ts";
import type { RecordedFailure } from "./history.ts";
import { eventScope } from "./match.ts";
import type { RunState } from "./run-state.ts";
import { waitUntil, type WaitUntil } from "./wait-until.ts";

/** An edge is open until it is known to be taken or dead; `until`: taken from that time on. */
export type EdgeState =
  | { readonly kind: "open" | "taken" | "dead" }
  | { readonly kind: "waiting"; readonly until: number }
  /** Nobody can say until when it waits. */
  | { readonly kind: "broken"; readonly message: string };

/** What the state of an edge depends on besides the history. */
export interface EdgeMoment {
  readonly now: number;
  /** Hears of an expression that could not be evaluated; it counts as false. */
  onError?(source: string, evaluation: Evaluation): void;
}

const open: EdgeState = { kind: "open" };
const taken: EdgeState = { kind: "taken" };
const dead: EdgeState = { kind: "dead" };

/** What the edges into a step say together. */
export function joined(step: StepDefinition, view: RunState, moment: EdgeMoment): EdgeState {
  const states = step.edges.map((edge) => edgeState(step, edge, view, moment));
  const waits = states.flatMap((state) => (state.kind === "waiting" ? [state.until] : []));
  const some = (kind: EdgeState["kind"]): boolean => states.some((state) => state.kind === kind);
  const broken = states.find(({ kind }) => kind === "broken");
  if (step.join === "any") {
    if (some("taken")) return taken;
    if (broken !== undefined) return broken;
    if (waits.length > 0) return { kind: "waiting", until: Math.min(...waits) };
    return some("open") ? open : dead;
  }
  if (some("dead")) return dead;
  if (broken !== undefined) return broken;
  if (some("open")) return open;
  return waits.length > 0 ? { kind: "waiting", until: Math.max(...waits) } : taken;
}

/** Whether a step that has not begun may yet need what this wait comes to. */
export function needsWait(
  step: StepDefinition,
  wait: WaitDefinition,
  view: RunState,
  moment: EdgeMoment,
): boolean {
  return (
    step.edges.some((edge) => edge.wait === wait.id && undecided(edgeState(step, edge, view, moment))) &&
    undecided(joined(step, view, moment))
  );
}

function undecided({ kind }: EdgeState): boolean {
  return kind === "open" || kind === "waiting";
}

function edgeState(
  step: StepDefinition,
  edge: EdgeDefinition,
  view: RunState,
  moment: EdgeMoment,
): EdgeState {
  const from = edge.from === triggerStep ? undefined : view.steps.get(edge.from);
  if (edge.from !== triggerStep) {
    if (from === undefined || from.status === "retrying" || from.status === "items") return open;
    if (from.status !== (edge.onFailure === true ? "failed" : "completed")) return dead;
  }
  const condition = edge.if === undefined || holds(step, edge, edge.if, view, moment);
  if (!condition && edge.ifAsync !== true) return dead;
  if (edge.wait !== undefined) {
    const wait = view.waits.get(edge.wait);
    if (wait === undefined || wait.status === "armed") return open;
    const wanted = edge.onTimeout === true ? "timedOut" : "matched";
    if (wait.status !== wanted || !condition) return dead;
  }
  const begins = from?.at ?? view.startedAt;
  const named =
    edge.waitUntil === undefined ? undefined : namedTime(step, edge, edge.waitUntil, view, begins);
  if (named?.ok === false) return { kind: "broken", message: named.message };
  const until = Math.max(begins + (edge.waitMs ?? 0), named?.at ?? 0);
  return until > moment.now ? { kind: "waiting", until } : taken;
}

function namedTime(
  step: StepDefinition,
  edge: EdgeDefinition,
  expression: ValueExpression,
  view: RunState,
  begins: number,
): WaitUntil | undefined {
  if (view.event === undefined) return undefined;
  return waitUntil(expression.source, expression.value(scopeOf(step, edge, view.event, view)), begins);
}

function scopeOf(step: StepDefinition, edge: EdgeDefinition, event: Event, view: RunState): Scope {
  return runScope(event, view, {
    steps: step.ancestors,
    from: edge.from,
    async: lastAwaited(view, edge.waits),
    failed: edge.onFailure === true ? edge.from : undefined,
  });
}

/** Whether the failure of a step leads anywhere, or may yet do so. */
export function isCaught(
  id: string,
  steps: Iterable<StepDefinition>,
  view: RunState,
  moment: EdgeMoment,
): boolean {
  for (const step of steps) {
    if (view.steps.get(step.id)?.status === "skipped") continue;
    const leads = step.edges.some(
      (edge) =>
        edge.onFailure === true && edge.from === id && edgeState(step, edge, view, moment).kind !== "dead",
    );
    if (leads) return true;
  }
  return false;
}

/** The failure by which a step is reached: of several, that of the first edge. */
export function caughtFailure(
  step: StepDefinition,
  view: RunState,
  moment: EdgeMoment,
): StepFailed | undefined {
  const edge = step.edges.find(
    (one) => one.onFailure === true && edgeState(step, one, view, moment).kind === "taken",
  );
  return edge && failureOf(edge.from, view);
}

/** Why which step failed. */
export type StepFailed = RecordedFailure & { readonly step: string };

function failureOf(step: string, view: RunState): StepFailed | undefined {
  const failure = view.steps.get(step)?.failure;
  return failure && { step, ...failure };
}

function holds(
  step: StepDefinition,
  edge: EdgeDefinition,
  expression: NonNullable<EdgeDefinition["if"]>,
  view: RunState,
  moment: EdgeMoment,
): boolean {
  if (view.event === undefined) return false;
  const evaluation = expression.evaluate(scopeOf(step, edge, view.event, view));
  if (evaluation.kind === "error") moment.onError?.(expression.source, evaluation);
  return evaluation.kind === "value" && evaluation.value;
}

/** What an expression sees of a run. */
export function runScope(
  event: Event,
  view: RunState,
  within: {
    readonly steps: readonly string[];
    /** The step whose output is `output`. */
    readonly from: string;
    readonly async: Event | undefined;
    /** The step whose failure is `failure`. */
    readonly failed?: string | undefined;
  },
): Scope {
  const { failed } = within;
  return {
    ...eventScope(event),
    steps: outputsOf(view, within.steps),
    output: view.steps.get(within.from)?.output,
    async: within.async,
    events: view.events,
    ...(failed === undefined ? {} : { failure: failureOf(failed, view) }),
  };
}

/** The event that was waited for last on the ways by which a step is reached. */
export function awaitedBy(step: StepDefinition, view: RunState, moment: EdgeMoment): Event | undefined {
  if (view.waits.size === 0) return undefined;
  if (step.edges.length === 0) return lastAwaited(view, step.waits);
  const ways = step.edges.filter((edge) => edgeState(step, edge, view, moment).kind === "taken");
  return lastAwaited(
    view,
    ways.flatMap((edge) => edge.waits ?? []),
  );
}

function lastAwaited(view: RunState, waits: readonly string[] = []): Event | undefined {
  if (waits.length === 0) return undefined;
  let last: Event | undefined;
  // In the order in which they were matched.
  for (const [id, { event }] of view.waits) if (event !== undefined && waits.includes(id)) last = event;
  return last;
}

/** The outputs of those of the steps that have completed, by step id. */
export function outputsOf(view: RunState, steps: Iterable<string>): Record<string, Json> {
  const outputs: Record<string, Json> = {};
  for (const id of steps) {
    const step = view.steps.get(id);
    if (step?.status === "completed") outputs[id] = step.output ?? null;
  }
  return outputs;
}
