import type { Json } from "../../runtime/json.ts";
import type { Event } from "../event/event.ts";
import type { RecordedFailure } from "./history.ts";

/** Where one step of a run stands, as its history tells. */
export interface StepView {
  /** "items": its list is being worked through. */
  readonly status: "completed" | "skipped" | "failed" | "retrying" | "items";
  /** Attempts that have ended. */
  readonly attempts: number;
  readonly output?: Json;
  readonly failure?: RecordedFailure;
  /** It failed, and the run has not failed by it. */
  readonly caught?: true;
  /** "completed": since when. "retrying": when the next attempt may start. */
  readonly at: number;
}

/** Where one wait of a run stands. */
export interface WaitView {
  readonly status: "armed" | "matched" | "timedOut" | "cancelled";
  readonly until?: number;
  readonly key?: string;
  /** "matched": by this event. */
  readonly event?: Event;
}

/** What edges and expressions see of a run. A step that is not in `steps` has no entry yet. */
export interface RunState {
  event?: Event;
  /** Of a function with batches, once it has begun: all of them, in the order in which they were stored. */
  events?: readonly Event[];
  /** When it began: that is put off for a run that has to wait for a time. */
  startedAt: number;
  readonly steps: Map<string, StepView>;
  /** In the order in which they came to stand as they do. */
  readonly waits: Map<string, WaitView>;
}
