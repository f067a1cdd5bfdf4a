import type { Json } from "../../runtime/json.ts";
import type { Definition, EdgeDefinition, StepDefinition } from "../function/definition.ts";
import { triggerStep } from "../function/document.ts";
import type { Evaluation } from "../function/expression.ts";
import type { HistoryEntry } from "./history.ts";
import { eventScope } from "./match.ts";
import { applyEntry, type RunView } from "./run-view.ts";

/** An attempt that may start now. */
export interface Execution {
  readonly step: StepDefinition;
  /** 1 for the first. */
  readonly attempt: number;
}

/** What is next for a run. */
export interface Transition {
  /** Decisions to append to the history before anything else happens; already folded into the view. */
  readonly decided: readonly HistoryEntry[];
  readonly execute: readonly Execution[];
  /** When the run must be looked at again even if nothing happens to it. */
  readonly wakeAt?: number;
}

/** An edge is open until it is known to be taken or dead; `until`: taken from that time on. */
type EdgeState =
  | { readonly kind: "open" | "taken" | "dead" }
  | { readonly kind: "waiting"; readonly until: number };

const open: EdgeState = { kind: "open" };
const taken: EdgeState = { kind: "taken" };
const dead: EdgeState = { kind: "dead" };

/** What transition may not find out by itself. */
export interface Moment {
  readonly now: number;
  /** Steps with an attempt under way. */
  readonly underWay: ReadonlySet<string>;
  /** Hears of an edge's expression that could not be evaluated; the edge is then not taken. */
  onError?(source: string, evaluation: Evaluation): void;
}

/**
 * Decides what is next for a run: which steps are skipped, which attempts may start, whether the run is over.
 * Depends on its arguments alone, and folds what it decides into `view`.
 */
export function transition(definition: Definition, view: RunView, moment: Moment): Transition {
  if (view.finished !== undefined) return { decided: [], execute: [] };
  if (view.failed !== undefined) return failing(definition, view, moment);

  const { now, underWay } = moment;
  const decided: HistoryEntry[] = [];
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
        : known.at > now
          ? { kind: "waiting", until: known.at }
          : taken;
    if (state.kind === "dead") {
      decide(view, decided, { type: "step.skipped", at: now, step: step.id });
      continue;
    }
    settled = false;
    if (state.kind === "taken") execute.push({ step, attempt: (known?.attempts ?? 0) + 1 });
    if (state.kind === "waiting") wakeAt = Math.min(wakeAt, state.until);
  }

  if (settled) decide(view, decided, { type: "run.completed", at: now });
  return { decided, execute, ...(wakeAt === Number.POSITIVE_INFINITY ? {} : { wakeAt }) };
}

/** A step has failed for good: what is under way may end, nothing new starts but the `onFailure` step. */
function failing(definition: Definition, view: RunView, { now, underWay }: Moment): Transition {
  const { failed } = view;
  if (failed === undefined || underWay.size > 0) return { decided: [], execute: [] };
  const handler = definition.onFailure;
  const handled = handler === undefined ? undefined : view.steps.get(handler.id);
  if (handler !== undefined && (handled === undefined || handled.status === "retrying")) {
    if (handled !== undefined && handled.at > now) return { decided: [], execute: [], wakeAt: handled.at };
    return { decided: [], execute: [{ step: handler, attempt: (handled?.attempts ?? 0) + 1 }] };
  }
  const decided: HistoryEntry[] = [];
  decide(view, decided, { type: "run.failed", at: now, failure: { ...failed.failure, step: failed.step } });
  return { decided, execute: [] };
}

function decide(view: RunView, decided: HistoryEntry[], entry: HistoryEntry): void {
  applyEntry(view, entry);
  decided.push(entry);
}

/** What the edges into a step say together. */
function joined(step: StepDefinition, view: RunView, moment: Moment): EdgeState {
  const states = step.edges.map((edge) => edgeState(step, edge, view, moment));
  const waits = states.flatMap((state) => (state.kind === "waiting" ? [state.until] : []));
  const some = (kind: EdgeState["kind"]): boolean => states.some((state) => state.kind === kind);
  if (step.join === "any") {
    if (some("taken")) return taken;
    if (waits.length > 0) return { kind: "waiting", until: Math.min(...waits) };
    return some("open") ? open : dead;
  }
  if (some("dead")) return dead;
  if (some("open")) return open;
  return waits.length > 0 ? { kind: "waiting", until: Math.max(...waits) } : taken;
}

function edgeState(step: StepDefinition, edge: EdgeDefinition, view: RunView, moment: Moment): EdgeState {
  const from = edge.from === triggerStep ? undefined : view.steps.get(edge.from);
  if (edge.from !== triggerStep) {
    if (from === undefined || from.status === "retrying") return open;
    if (from.status !== "completed") return dead;
  }
  if (edge.if !== undefined && !holds(step, edge, edge.if, view, moment)) return dead;
  const until = (from?.at ?? view.startedAt) + (edge.waitMs ?? 0);
  return until > moment.now ? { kind: "waiting", until } : taken;
}

function holds(
  step: StepDefinition,
  edge: EdgeDefinition,
  expression: NonNullable<EdgeDefinition["if"]>,
  view: RunView,
  moment: Moment,
): boolean {
  if (view.event === undefined) return false;
  const evaluation = expression.evaluate({
    ...eventScope(view.event),
    steps: outputsOf(view, step.ancestors),
    output: view.steps.get(edge.from)?.output,
  });
  if (evaluation.kind === "error") moment.onError?.(expression.source, evaluation);
  return evaluation.kind === "value" && evaluation.value;
}

/** The outputs of those of the steps that have completed, by step id. */
export function outputsOf(view: RunView, steps: Iterable<string>): Record<string, Json> {
  const outputs: Record<string, Json> = {};
  for (const id of steps) {
    const step = view.steps.get(id);
    if (step?.status === "completed") outputs[id] = step.output ?? null;
  }
  return outputs;
}
