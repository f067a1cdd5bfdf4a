import type { Event } from "../event/event.ts";
import { applyCollecting, settleCollected, type CollectingView } from "./collecting.ts";
import type { HistoryEntry, RecordedFailure, Undo } from "./history.ts";
import { applyToItems, forgetItems, reopenItems, type ItemsView } from "./items-view.ts";
import { placeOf } from "./place.ts";
import { SparseMap } from "./sparse-map.ts";
import { itemsToUndo } from "./undoing.ts";
import type { RunState, StepView, WaitView } from "./run-state.ts";

/** What an attempt emits. */
interface Unpublished {
  readonly step: string;
  readonly item?: number;
  readonly events: readonly Event[];
}

/** A run's history, folded. A step that is not in `steps` has no entry yet. */
export interface RunView extends RunState, CollectingView {
  /** Entries folded so far, which is the sequence of the last one. */
  seq: number;
  /** It waits for its turn. */
  queued?: {
    readonly since: number;
    readonly reason: string;
    readonly until?: number;
    readonly queue?: string;
    readonly place?: number;
  };
  /** By place: events that a step or an item emits, and that may not be published yet. */
  readonly unpublished: SparseMap<string, Unpublished>;
  /** Of steps that run once an item, by step. */
  readonly items: SparseMap<string, ItemsView>;
  /** By wait: what was answered by its link. */
  readonly answers: SparseMap<string, Event>;
  /** By step: the run that it has invoked and waits for. */
  readonly invoked: SparseMap<string, Extract<HistoryEntry, { readonly type: "step.invoked" }>>;
  /** Attempts of steps, and of their items, that do not count any more: these were to run anew. By their place. */
  readonly earlierAttempts: SparseMap<string, number>;
  /** The first step that failed for good; without a step, what else made the run fail. */
  failed?: { readonly step?: string; readonly failure: RecordedFailure };
  /** It is to be cancelled once what is to be undone is undone. */
  cancelling?: { readonly reason?: string };
  /** What is undone, in this order, once that has begun. */
  undoing?: readonly Undo[];
  /** By step: the entry by which it, or an item of it, completed last. */
  readonly completions: Map<string, number>;
  /** How often what a step does was undone, or it undid something, before it was to run anew. */
  readonly rounds: SparseMap<string, number>;
  finished?: "completed" | "failed" | "cancelled";
  /** Where its output is, once it has completed. */
  completion?: Extract<HistoryEntry, { readonly type: "run.completed" }>;
  paused?: boolean;
  /** Since when the run's own time counts: its beginning, or when it was to go on once more. */
  timedFrom: number;
}

/** The view of a run of which nothing is known yet. */
export function emptyView(): RunView {
  return {
    seq: 0,
    createdAt: 0,
    startedAt: 0,
    timedFrom: 0,
    steps: new Map(),
    items: new SparseMap(),
    waits: new Map(),
    unpublished: new SparseMap(),
    invoked: new SparseMap(),
    answers: new SparseMap(),
    earlierAttempts: new SparseMap(),
    completions: new Map(),
    rounds: new SparseMap(),
  };
}

/** Folds the history of a run. */
export function foldHistory(history: readonly HistoryEntry[]): RunView {
  const view = emptyView();
  for (const entry of history) applyEntry(view, entry);
  return view;
}

/** Brings `view` up to date with the next entry. */
export function applyEntry(view: RunView, entry: HistoryEntry): void {
  view.seq += 1;
  switch (entry.type) {
    case "run.started":
      view.event = entry.event;
      view.createdAt = entry.at;
      view.startedAt = entry.at;
      view.timedFrom = entry.at;
      if (entry.eventSeq !== undefined) view.eventSeq = entry.eventSeq;
      if (entry.events !== undefined) view.events = entry.events;
      break;
    case "run.collecting":
    case "run.collected":
    case "run.begun":
      applyCollecting(view, entry);
      break;
    case "run.queued": {
      const { type: _, at: since, ...queued } = entry;
      view.queued = { since, ...queued };
      break;
    }
    case "run.admitted":
      admit(view, entry.at);
      break;
    case "step.invoked":
    case "step.completed":
    case "step.emitted":
    case "step.failed":
    case "step.uncaught":
    case "step.skipped":
      applyToStep(view, entry);
      break;
    case "items.begun":
    case "item.completed":
    case "item.failed":
    case "items.completed":
    case "items.failed":
      applyToItems(view, entry);
      if (entry.type === "items.failed") fails(view, entry);
      if (entry.type === "item.completed") {
        emit(view, entry);
        view.completions.set(entry.step, view.seq);
      }
      // Of one without items that completed nothing else tells.
      if (entry.type === "items.completed" && !view.completions.has(entry.step))
        view.completions.set(entry.step, view.seq);
      break;
    case "wait.answered":
    case "wait.armed":
    case "wait.matched":
    case "wait.timedOut":
    case "wait.cancelled":
      applyToWait(view, entry);
      break;
    case "run.paused":
    case "run.resumed":
      view.paused = entry.type === "run.paused";
      break;
    case "run.cancelling": {
      const { reason } = entry;
      view.cancelling = reason === undefined ? {} : { reason };
      view.paused = false;
      break;
    }
    case "run.compensating":
      beginUndoing(view, entry);
      break;
    case "run.timedOut":
      view.failed ??= { failure: entry.failure };
      break;
    case "run.retried":
      retry(view, entry);
      break;
    case "run.completed":
      view.finished = "completed";
      view.completion = entry;
      break;
    case "run.failed":
      view.finished = "failed";
      break;
    case "run.cancelled":
      view.finished = "cancelled";
      settleCollected(view, entry.at);
      break;
  }
}

function applyToStep(view: RunView, entry: Extract<HistoryEntry, { type: `step.${string}` }>): void {
  switch (entry.type) {
    case "step.invoked":
      view.invoked.set(entry.step, entry);
      break;
    case "step.completed":
      view.invoked.delete(entry.step);
      view.steps.set(entry.step, {
        status: "completed",
        attempts: entry.attempt,
        output: entry.output,
        at: entry.at,
      });
      emit(view, entry);
      view.completions.set(entry.step, view.seq);
      break;
    case "step.emitted":
      view.unpublished.delete(placeOf(entry.step, entry.item));
      break;
    case "step.failed":
      view.invoked.delete(entry.step);
      view.steps.set(entry.step, {
        status: entry.retryAt === undefined ? "failed" : "retrying",
        attempts: entry.attempt,
        failure: entry.failure,
        at: entry.retryAt ?? entry.at,
        ...(entry.caught === true ? { caught: true } : {}),
      });
      if (entry.retryAt === undefined) fails(view, entry);
      break;
    case "step.uncaught": {
      const { caught: _, ...step } = view.steps.get(entry.step) ?? unknownStep;
      view.steps.set(entry.step, step);
      if (step.failure !== undefined) fails(view, { step: entry.step, failure: step.failure });
      break;
    }
    case "step.skipped":
      view.steps.set(entry.step, { status: "skipped", attempts: 0, at: entry.at });
      break;
  }
}

function applyToWait(view: RunView, entry: Extract<HistoryEntry, { type: `wait.${string}` }>): void {
  switch (entry.type) {
    case "wait.answered":
      view.answers.set(entry.wait, entry.event);
      break;
    case "wait.armed": {
      const { until, key } = entry;
      setWait(view, entry.wait, { status: "armed", until, ...(key === undefined ? {} : { key }) });
      break;
    }
    case "wait.matched":
      setWait(view, entry.wait, { ...view.waits.get(entry.wait), status: "matched", event: entry.event });
      break;
    case "wait.timedOut":
    case "wait.cancelled": {
      const status = entry.type === "wait.timedOut" ? "timedOut" : "cancelled";
      setWait(view, entry.wait, { ...view.waits.get(entry.wait), status });
      break;
    }
  }
}

/** What a run waits for before its first step is no part of its own time. */
function admit(view: RunView, at: number): void {
  if (view.queued?.until !== undefined) view.startedAt = at;
  if (view.steps.size === 0 && view.items.size === 0) view.timedFrom = Math.max(view.timedFrom, at);
  delete view.queued;
}

function beginUndoing(
  view: RunView,
  { at, steps }: Extract<HistoryEntry, { type: "run.compensating" }>,
): void {
  view.undoing = steps;
  for (const { step, by } of steps) {
    const items = view.items.get(step);
    if (items === undefined) continue;
    view.items.set(by, itemsToUndo(items, at));
    view.steps.set(by, { status: "items", attempts: 0, at });
  }
}

function retry(
  view: RunView,
  { at, steps, waits, items = [], undone = [] }: Extract<HistoryEntry, { type: "run.retried" }>,
): void {
  // Before what undid them is forgotten.
  for (const id of items) {
    const by = undone.includes(id) ? view.undoing?.find(({ step }) => step === id)?.by : undefined;
    reopenItems(view, id, by === undefined ? undefined : view.items.get(by));
  }
  for (const id of undone) view.rounds.set(id, (view.rounds.get(id) ?? 0) + 1);
  for (const id of steps) {
    forgetItems(view, id);
    const attempts = view.steps.get(id)?.attempts ?? 0;
    if (attempts > 0) view.earlierAttempts.set(id, attempts);
    view.steps.delete(id);
  }
  for (const id of waits) view.waits.delete(id);
  // A wait that begins once more is answered once more.
  for (const id of view.answers.keys()) if (!view.waits.has(id)) view.answers.delete(id);
  // What was invoked is waited for no longer, and the next attempt invokes another one.
  for (const [id, { attempt }] of view.invoked) view.earlierAttempts.set(id, attempt);
  view.invoked.clear();
  delete view.failed;
  delete view.cancelling;
  delete view.undoing;
  delete view.finished;
  delete view.completion;
  delete view.queued;
  view.paused = false;
  view.timedFrom = at;
}

function emit(
  view: RunView,
  { step, emits, ...entry }: Extract<HistoryEntry, { type: "step.completed" | "item.completed" }>,
): void {
  if (emits === undefined) return;
  const item = "item" in entry ? { item: entry.item } : {};
  view.unpublished.set(placeOf(step, item.item), { step, ...item, events: emits });
}

const unknownStep: StepView = { status: "failed", attempts: 0, at: 0 };

/** The run fails by the first step that failed for good, unless that leads somewhere. */
function fails(
  view: RunView,
  {
    step,
    failure,
    caught,
  }: Pick<Extract<HistoryEntry, { type: "items.failed" }>, "step" | "failure" | "caught">,
): void {
  // What fails while a run is being cancelled changes nothing about that.
  if (caught !== true && view.cancelling === undefined) view.failed ??= { step, failure };
}

function setWait(view: RunView, id: string, wait: WaitView): void {
  view.waits.delete(id);
  view.waits.set(id, wait);
}
