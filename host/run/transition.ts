import { hasProgram, type Definition, type StepDefinition } from "../function/definition.ts";
import { decideItems, runsOnceAnItem } from "./decide-items.ts";
import { decideEnding } from "./ending.ts";
import { isCaught, joined, type EdgeState } from "./edges.ts";
import { executionOf, type Execution } from "./execution.ts";
import type { HistoryEntry } from "./history.ts";
import { invoke, looksAt } from "./invoking.ts";
import { completion } from "./output.ts";
import type { StepView } from "./run-state.ts";
import { applyEntry, type RunView } from "./run-view.ts";
import { decideTurn, isWaitingToBegin } from "./turn.ts";
import { decideWaits, type WaitLook, type WaitMoment } from "./wait-decisions.ts";

/** What is next for a run. */
export interface Transition {
  /** Decisions to append to the history before anything else happens; already folded into the view. */
  readonly decided: readonly HistoryEntry[];
  readonly execute: readonly Execution[];
  /** When the run must be looked at again even if nothing happens to it. */
  readonly wakeAt?: number;
  /** What the run has emitted is to be published before anything else is decided. */
  readonly publish?: boolean;
  /** What is under way is to be ended, and does not count. */
  readonly abandon?: boolean;
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
  const decided: HistoryEntry[] = [];
  if (view.finished !== undefined) return { decided, execute: [] };
  if (view.unpublished.size > 0) return { decided, execute: [], publish: true };
  if (view.collecting !== undefined) {
    const { until } = view.collecting;
    if (until > moment.now) return { decided, execute: [], wakeAt: until };
    // The rest is decided once this is stored: until then, more events may come.
    decide(view, decided, { type: "run.begun", at: moment.now, why: "time" });
    return { decided, execute: [], wakeAt: moment.now };
  }
  const turn = decideTurn(definition, view, moment, (entry) => decide(view, decided, entry));
  if (isOver(view)) return { decided, execute: [] };
  if (turn.waits) return { decided, execute: [], wakeAt: turn.wakeAt };
  const overAt = endOfTime(definition, view);
  if (!isEnding(view) && overAt <= moment.now) decide(view, decided, timedOut(moment.now));
  const ending = (): Transition => ({
    ...decideEnding(definition, view, moment, (entry) => decide(view, decided, entry)),
    decided,
  });
  if (isEnding(view)) return ending();

  for (;;) {
    const before = decided.length;
    const waits = decideWaits(definition, view, moment, (entry) => decide(view, decided, entry));
    if (isOver(view)) return { decided, execute: [] };
    if (isEnding(view)) return ending();
    const steps = decideSteps(definition, view, moment, decided);
    if (isEnding(view)) return ending();
    // What was decided of the steps may be news to the waits.
    if (decided.length > before && definition.waits.size > 0 && !isOver(view)) continue;
    const { execute, wakeAt } = view.paused === true ? nothing : steps;
    const earliest = Math.min(waits.wakeAt, wakeAt, overAt, turn.wakeAt, looksAt(view, moment));
    return {
      decided,
      execute,
      ...(earliest === Number.POSITIVE_INFINITY ? {} : { wakeAt: earliest }),
      ...(waits.look.length === 0 ? {} : { look: waits.look }),
    };
  }
}

/** What a paused run does with its steps. */
const nothing = { execute: [], wakeAt: Number.POSITIVE_INFINITY } as const;

function isOver({ finished }: RunView): boolean {
  return finished !== undefined;
}

/** It goes on no more, and has not ended yet. */
function isEnding({ failed, cancelling }: RunView): boolean {
  return failed !== undefined || cancelling !== undefined;
}

/** When the run has taken as long as it may. */
function endOfTime({ timeoutMs = Number.POSITIVE_INFINITY }: Definition, view: RunView): number {
  return isWaitingToBegin(view) ? Number.POSITIVE_INFINITY : view.timedFrom + timeoutMs;
}

function timedOut(at: number): HistoryEntry {
  const message = "The run took longer than its function's timeout.";
  return { type: "run.timedOut", at, failure: { code: "ERR_RUN_TIMEOUT", message } };
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
    // What failed meanwhile did not begin, or its items did: what else was about to start does not.
    if (view.failed !== undefined) return { execute: [], wakeAt };
    if (isSettled(known)) continue;
    if (underWay.has(step.id) || view.invoked.has(step.id)) {
      settled = false;
      continue;
    }
    const state = stateOf(step, view, moment);
    if (state.kind === "dead") {
      decide(view, decided, { type: "step.skipped", at: now, step: step.id });
      continue;
    }
    if (state.kind === "taken" && runsOnceAnItem(step)) {
      const items = decideItems(step, view, moment, (entry) => decide(view, decided, entry));
      execute.push(...items.execute);
      wakeAt = Math.min(wakeAt, items.wakeAt);
      settled &&= items.settled;
      continue;
    }
    if (state.kind === "broken") {
      decide(view, decided, brokenEntry(step, view, now, state.message));
      continue;
    }
    if (state.kind === "taken" && hasProgram(step)) execute.push(executionOf(step, view, moment));
    if (state.kind === "taken" && view.paused !== true)
      invoke(definition, step, view, moment, (entry) => decide(view, decided, entry));
    // What can't be invoked has failed already.
    settled &&= isSettled(view.steps.get(step.id));
    if (state.kind === "waiting") wakeAt = Math.min(wakeAt, state.until);
  }

  decideCaught(definition, view, moment, decided);
  if (settled && view.failed === undefined) decide(view, decided, completion(definition, view, moment));
  return { execute, wakeAt };
}

/** Nothing more comes of a step, for now or for good. */
function isSettled(step: StepView | undefined): boolean {
  return step?.status === "completed" || step?.status === "skipped" || step?.status === "failed";
}

/** The run fails by a step whose failure leads nowhere, since conditions do not hold or what it led to is skipped. */
function decideCaught(definition: Definition, view: RunView, moment: Moment, decided: HistoryEntry[]): void {
  for (const [id, { status, caught }] of view.steps) {
    if (status !== "failed" || caught !== true) continue;
    if (isCaught(id, definition.steps.values(), view, moment)) continue;
    decide(view, decided, { type: "step.uncaught", at: moment.now, step: id });
  }
}

/** A step that can't begin, since nobody can say when, has failed for good. */
function brokenEntry(
  { id, caught }: StepDefinition,
  view: RunView,
  at: number,
  message: string,
): HistoryEntry {
  const attempt = (view.earlierAttempts.get(id) ?? 0) + 1;
  return {
    type: "step.failed",
    at,
    step: id,
    attempt,
    startedAt: at,
    failure: { code: "ERR_WAIT_UNTIL", message },
    ...(caught && { caught }),
  };
}

/** Whether a step may start. */
function stateOf(step: StepDefinition, view: RunView, moment: Moment): EdgeState {
  const known = view.steps.get(step.id);
  if (known === undefined) return joined(step, view, moment);
  if (known.status === "items") return { kind: "taken" };
  return { kind: known.at > moment.now ? "waiting" : "taken", until: known.at };
}

function decide(view: RunView, decided: HistoryEntry[], entry: HistoryEntry): void {
  applyEntry(view, entry);
  decided.push(entry);
}
