import type { Json } from "../../runtime/json.ts";
import type { LogLine } from "../../runtime/driver.ts";
import type { Event } from "../event/event.ts";

/** Why a step, or the run, failed. */
export interface RecordedFailure {
  readonly code: string;
  readonly message: string;
}

/** What every recorded attempt says of itself. Times in milliseconds since 1970-01-01T00:00:00Z. */
interface RecordedAttempt {
  readonly step: string;
  readonly attempt: number;
  readonly startedAt: number;
  readonly at: number;
  readonly logs?: readonly LogLine[];
  /** What exactly was run, where the document's name for it can come to mean something else: an image's digest. */
  readonly ran?: string;
}

/** One entry of a run's history, which is the single truth about the run. `at`: when it happened. */
export type HistoryEntry =
  | { readonly type: "run.started"; readonly at: number; readonly event: Event }
  | ({ readonly type: "step.completed"; readonly output: Json } & RecordedAttempt)
  | ({
      readonly type: "step.failed";
      readonly failure: RecordedFailure;
      /** When the next attempt may start; absent: the step has failed for good. */
      readonly retryAt?: number;
    } & RecordedAttempt)
  /** None of the step's edges can be taken any more. */
  | { readonly type: "step.skipped"; readonly at: number; readonly step: string }
  | { readonly type: "run.completed"; readonly at: number }
  | {
      readonly type: "run.failed";
      readonly at: number;
      readonly failure: RecordedFailure & { readonly step?: string };
    }
  | { readonly type: "run.cancelled"; readonly at: number; readonly reason?: string };

/** Where a run stands. A parked run waits for a timer or an event and holds no memory. */
export type RunStatus = "running" | "parked" | "completed" | "failed" | "cancelled";
