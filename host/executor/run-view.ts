import type { Json } from "../../runtime/json.ts";
import type { Event } from "../event/event.ts";
import type { HistoryEntry, RecordedFailure } from "./history.ts";

/** Where one step of a run stands, as its history tells. */
interface StepView {
  readonly status: "completed" | "skipped" | "failed" | "retrying";
  /** Attempts that have ended. */
  readonly attempts: number;
  readonly output?: Json;
  readonly failure?: RecordedFailure;
  /** "completed": since when. "retrying": when the next attempt may start. */
  readonly at: number;
}

/** Where one wait of a run stands. */
interface WaitView {
  readonly status: "armed" | "matched" | "timedOut" | "cancelled";
  readonly until?: number;
  readonly key?: string;
  /** "matched": by this event. */
  readonly event?: Event;
}

/** A run's history, folded. A step that is not in `steps` has no entry yet. */
export interface RunView {
  /** Entries folded so far, which is the sequence of the last one. */
  seq: number;
  event?: Event;
  /** Its place in the broker's order. */
  eventSeq?: number;
  /** When it was stored. */
  createdAt: number;
  /** When it began: that is put off for a run that has to wait for a time. */
  startedAt: number;
  /** It waits for its turn. */
  queued?: { readonly since: number; readonly reason: string; readonly until?: number };
  readonly steps: Map<string, StepView>;
  /** In the order in which they came to stand as they do. */
  readonly waits: Map<string, WaitView>;
  /** By step: events that it emits, and that may not be published yet. */
  readonly unpublished: Map<string, readonly Event[]>;
  /** Attempts of steps that do not count any more: the steps were to run anew. */
  readonly earlierAttempts: Map<string, number>;
  /** The first step that failed for good; without a step, what else made the run fail. */
  failed?: { readonly step?: string; readonly failure: RecordedFailure };
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
    waits: new Map(),
    unpublished: new Map(),
    earlierAttempts: new Map(),
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
      break;
    case "run.queued": {
      const { at: since, reason, until } = entry;
      view.queued = { since, reason, ...(until === undefined ? {} : { until }) };
      break;
    }
    case "run.admitted":
      admit(view, entry.at);
      break;
    case "step.completed":
      view.steps.set(entry.step, {
        status: "completed",
        attempts: entry.attempt,
        output: entry.output,
        at: entry.at,
      });
      if (entry.emits !== undefined) view.unpublished.set(entry.step, entry.emits);
      break;
    case "step.emitted":
      view.unpublished.delete(entry.step);
      break;
    case "step.failed":
      view.steps.set(entry.step, {
        status: entry.retryAt === undefined ? "failed" : "retrying",
        attempts: entry.attempt,
        failure: entry.failure,
        at: entry.retryAt ?? entry.at,
      });
      if (entry.retryAt === undefined) view.failed ??= { step: entry.step, failure: entry.failure };
      break;
    case "step.skipped":
      view.steps.set(entry.step, { status: "skipped", attempts: 0, at: entry.at });
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
    case "run.paused":
    case "run.resumed":
      view.paused = entry.type === "run.paused";
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
      break;
  }
}

/** What a run waits for before its first step is no part of its own time. */
function admit(view: RunView, at: number): void {
  if (view.queued?.until !== undefined) view.startedAt = at;
  if (view.steps.size === 0) view.timedFrom = Math.max(view.timedFrom, at);
  delete view.queued;
}

function retry(view: RunView, { at, steps, waits }: Extract<HistoryEntry, { type: "run.retried" }>): void {
  for (const id of steps) {
    const attempts = view.steps.get(id)?.attempts ?? 0;
    if (attempts > 0) view.earlierAttempts.set(id, attempts);
    view.steps.delete(id);
  }
  for (const id of waits) view.waits.delete(id);
  delete view.failed;
  delete view.finished;
  delete view.completion;
  delete view.queued;
  view.paused = false;
  view.timedFrom = at;
}

function setWait(view: RunView, id: string, wait: WaitView): void {
  view.waits.delete(id);
  view.waits.set(id, wait);
}
