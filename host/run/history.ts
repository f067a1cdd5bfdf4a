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
  /** Units of fuel that it used, where its host counted them. */
  readonly fuel?: number;
  /** Where its receiver completed it later: which completion it was. */
  readonly completion?: string;
}

/** What one step did is undone by another. */
export interface Undo {
  readonly step: string;
  readonly by: string;
}

/** What is left of what a run's steps did that ended without completing. */
interface Undone {
  /** The steps that were undone; absent: nothing was to be. */
  readonly undone?: readonly string[];
  /** Those whose compensation failed. */
  readonly notUndone?: readonly string[];
}

/** An attempt of one item of a step's list. */
interface RecordedItem extends RecordedAttempt {
  /** Its place in the list, from 0 on. */
  readonly item: number;
}

/** An event that a run has collected; its content is left out where the run gets a later one in its place. */
export interface CollectedEvent {
  readonly id: string;
  /** Its place in the broker's order. */
  readonly seq: number;
  readonly event?: Event;
}

/** One entry of a run's history, which is the single truth about the run. `at`: when it happened. */
export type HistoryEntry =
  | {
      readonly type: "run.started";
      readonly at: number;
      readonly event: Event;
      /** The event's place in the broker's order: waits look at what was stored behind it. */
      readonly eventSeq?: number;
      /** The run of which this one is another try, with another event. */
      readonly retryOf?: string;
      /** Which parts of the event are other than that run's. */
      readonly edited?: readonly string[];
      /** Of a function with batches: all that the run gets, where it collects none. */
      readonly events?: readonly Event[];
    }
  /** The run does not begin yet: it collects events, of which the one that it was started with is the first. */
  | {
      readonly type: "run.collecting";
      readonly at: number;
      readonly by: "batch" | "debounce";
      /** What its events have in common. */
      readonly key?: Json;
      /** When it begins if no more events come. */
      readonly until: number;
    }
  | {
      readonly type: "run.collected";
      readonly at: number;
      readonly events: readonly CollectedEvent[];
      readonly until: number;
    }
  /** It collects no more, and begins: its time is over, there are enough events, or they are as large as they may be. */
  | {
      readonly type: "run.begun";
      readonly at: number;
      readonly why: "time" | "count" | "size";
    }
  /** It waits for its turn, and nothing of it is executed before that: until a time, if one is known. */
  | {
      readonly type: "run.queued";
      readonly at: number;
      readonly reason: string;
      readonly until?: number;
      /** Where it waits, if it is for a slot. */
      readonly queue?: string;
      readonly place?: number;
    }
  /** Its turn has come. */
  | { readonly type: "run.admitted"; readonly at: number }
  | ({
      readonly type: "step.completed";
      readonly output: Json;
      /** Events that are published before the run goes on. */
      readonly emits?: readonly Event[];
    } & RecordedAttempt)
  /** The step runs a function, and waits for what comes of it. */
  | {
      readonly type: "step.invoked";
      readonly at: number;
      readonly step: string;
      readonly attempt: number;
      readonly functionId: string;
      /** The run that was invoked. */
      readonly runId: string;
      /** The event that starts it. */
      readonly event: Event;
      /** How long it is waited for. */
      readonly until?: number;
    }
  /** The events of the last attempt of the step, or of an item of it, are published. */
  | { readonly type: "step.emitted"; readonly at: number; readonly step: string; readonly item?: number }
  | ({
      readonly type: "step.failed";
      readonly failure: RecordedFailure;
      /** When the next attempt may start; absent: the step has failed for good. */
      readonly retryAt?: number;
      /** Edges lead from its failure: the run does not fail by it, unless none of them can be taken. */
      readonly caught?: true;
    } & RecordedAttempt)
  /** None of the edges from the step's failure can be taken: the run fails by it. */
  | { readonly type: "step.uncaught"; readonly at: number; readonly step: string }
  /** The step's list was made: its program runs once an item. */
  | {
      readonly type: "items.begun";
      readonly at: number;
      readonly step: string;
      readonly count: number;
      /** What the step gives: the outputs alone, or what became of each item, failures too. */
      readonly gives: "outputs" | "results";
    }
  | ({
      readonly type: "item.completed";
      readonly output: Json;
      /** Of the output, as JSON. */
      readonly bytes: number;
      readonly emits?: readonly Event[];
    } & RecordedItem)
  | ({
      readonly type: "item.failed";
      readonly failure: RecordedFailure;
      /** When the next attempt may start; absent: the item has failed for good. */
      readonly retryAt?: number;
    } & RecordedItem)
  /** The step has completed: its output are those of the items. */
  | { readonly type: "items.completed"; readonly at: number; readonly step: string }
  /** The step has failed for good: there was no list, or more items failed than it bears. */
  | {
      readonly type: "items.failed";
      readonly at: number;
      readonly step: string;
      readonly failure: RecordedFailure;
      readonly caught?: true;
    }
  /** None of the step's edges can be taken any more. */
  | { readonly type: "step.skipped"; readonly at: number; readonly step: string }
  | {
      readonly type: "wait.armed";
      readonly at: number;
      readonly wait: string;
      /** The step after which it began, or "$trigger". */
      readonly from: string;
      readonly eventName: string;
      /** Events that were stored later than this do not count. */
      readonly until: number;
      /** Where the store finds the wait; absent: no event can match it. */
      readonly key?: string;
    }
  /** Somebody has answered what is asked by a link; the wait need not have begun. */
  | { readonly type: "wait.answered"; readonly at: number; readonly wait: string; readonly event: Event }
  | { readonly type: "wait.matched"; readonly at: number; readonly wait: string; readonly event: Event }
  /** Its time was over, and no event that was stored in it matched. */
  | { readonly type: "wait.timedOut"; readonly at: number; readonly wait: string }
  /** No step needs it any more. */
  | { readonly type: "wait.cancelled"; readonly at: number; readonly wait: string }
  /** Nothing more is started until it is resumed. */
  | { readonly type: "run.paused"; readonly at: number; readonly reason?: string }
  | { readonly type: "run.resumed"; readonly at: number }
  /** The run is to be cancelled, once what is under way has ended and what its steps did is undone. */
  | { readonly type: "run.cancelling"; readonly at: number; readonly reason?: string }
  /** What steps of a run did that has failed, or is to be cancelled, is undone, in this order. */
  | { readonly type: "run.compensating"; readonly at: number; readonly steps: readonly Undo[] }
  /** The run had taken as long as it may: it fails. */
  | { readonly type: "run.timedOut"; readonly at: number; readonly failure: RecordedFailure }
  /** A run that was over goes on: these steps and waits are as if they had never been. */
  | {
      readonly type: "run.retried";
      readonly at: number;
      readonly steps: readonly string[];
      readonly waits: readonly string[];
      /** Steps that go on with those of their items that had not completed. */
      readonly items?: readonly string[];
      /** Of all of them, those whose effects were undone, and what undid them: what they do now has other keys. */
      readonly undone?: readonly string[];
    }
  | {
      readonly type: "run.completed";
      readonly at: number;
      /** What the run came to, where that is not what a step put out. */
      readonly output?: Json;
      /** The step whose output is the run's; several: all of theirs, by step id. */
      readonly outputOf?: string | readonly string[];
    }
  | ({
      readonly type: "run.failed";
      readonly at: number;
      readonly failure: RecordedFailure & { readonly step?: string };
    } & Undone)
  | ({ readonly type: "run.cancelled"; readonly at: number; readonly reason?: string } & Undone);

/** Where a run stands. A paused run starts nothing until it is resumed. A parked run waits for a timer or an event and holds no memory. */
export type RunStatus = "running" | "parked" | "paused" | "completed" | "failed" | "cancelled";
