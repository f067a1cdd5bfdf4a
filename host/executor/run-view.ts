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

/** A run's history, folded. A step that is not in `steps` has no entry yet. */
export interface RunView {
  /** Entries folded so far, which is the sequence of the last one. */
  seq: number;
  event?: Event;
  startedAt: number;
  readonly steps: Map<string, StepView>;
  /** The first step that failed for good. */
  failed?: { readonly step: string; readonly failure: RecordedFailure };
  finished?: "completed" | "failed" | "cancelled";
}

/** The view of a run of which nothing is known yet. */
export function emptyView(): RunView {
  return { seq: 0, startedAt: 0, steps: new Map() };
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
      view.startedAt = entry.at;
      break;
    case "step.completed":
      view.steps.set(entry.step, {
        status: "completed",
        attempts: entry.attempt,
        output: entry.output,
        at: entry.at,
      });
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
    case "run.completed":
      view.finished = "completed";
      break;
    case "run.failed":
      view.finished = "failed";
      break;
    case "run.cancelled":
      view.finished = "cancelled";
      break;
  }
}
