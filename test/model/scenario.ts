import type { FunctionDocument } from "../../host/function/document.ts";

/** Something that happens to a run from outside; times in milliseconds after the run's beginning. */
export interface FlowEvent {
  /** Before 0: it was there when the run began, and counts for nothing. */
  readonly at: number;
  readonly name: string;
  readonly key: number;
}

/** What a step's program does: it fails so many times, and then puts out the step's id. One that fails takes time. */
export interface Behaviour {
  readonly fails?: number;
  /** Its first failure is for good. */
  readonly fatal?: true;
  readonly takesMs?: number;
  /** Of a step that runs once an item, or undoes one that does: what it does for each. */
  readonly items?: readonly Behaviour[];
  /** The event that it emits, with key 1, each time that it puts something out. */
  readonly emits?: string;
}

/** A document, and all that happens while a run of it goes on. */
export interface Scenario {
  /** Steps stand in topological order. Where a step has several edges, no two waits of one way are for the same event. */
  readonly document: Pick<FunctionDocument, "steps" | "onFailure" | "timeout" | "cancel">;
  readonly programs: Readonly<Record<string, Behaviour>>;
  /** In the order of their times. */
  readonly events: readonly FlowEvent[];
  /** In order, one after the other. */
  readonly pauses: readonly { readonly from: number; readonly to: number }[];
  readonly cancelAt?: number;
}

/** What must become of the run. */
export interface Expected {
  readonly status: "completed" | "failed" | "cancelled";
  readonly endsAt: number;
  /** When each attempt of each step, or item of it ("s1#0"), begins; one that is not there never runs. */
  readonly attempts: Readonly<Record<string, readonly number[]>>;
  /** Of a run that completed; sorted. */
  readonly skipped: readonly string[];
  /** Of a run that did not complete: the steps that were undone, and those that could not be. */
  readonly undone: readonly string[];
  readonly notUndone: readonly string[];
}

/** The conditions that documents have, and whether they hold for a run of key 1 and steps that put out their ids. */
export const conditions: Readonly<Record<string, boolean>> = {
  "data.key == 1": true,
  "data.key > 1": false,
  // Not there; of a type that has no such operator.
  "data.none == 1": false,
  "data.key + 'x' == 'x'": false,
};
/** One that is decided when the event has come. */
export const ofEvent = "async.data.key == 1";
export const sameKey = "async.data.key == event.data.key";
