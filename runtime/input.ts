import type { Json } from "./json.ts";

/** The event as a step sees it. `ts` is in milliseconds since 1970-01-01T00:00:00Z. */
export interface StepEvent {
  readonly id: string;
  readonly name: string;
  readonly data: Json;
  readonly user?: Json;
  readonly ts: number;
  readonly v?: string;
  /** Of an event that came as a CloudEvent: its other context attributes, such as `source` and `subject`. */
  readonly attributes?: Readonly<Record<string, string | number | boolean>>;
}

/** Who runs this attempt, and until when. `deadline` is in milliseconds since 1970-01-01T00:00:00Z. */
export interface StepContext {
  readonly runId: string;
  readonly functionId: string;
  readonly functionVersion: string;
  readonly stepId: string;
  /** 1 for the first attempt. */
  readonly attempt: number;
  readonly deadline: number;
  /** The same for all attempts of one step of one run, and of one item where it has several. */
  readonly idempotencyKey: string;
  readonly user?: Json;
  readonly traceparent?: string;
  /** Addresses by which people answer what the run will wait for, by the names of the links. */
  readonly links?: Readonly<Record<string, string>>;
  /** Only for the `onFailure` step: why the run failed, and at which step. */
  readonly failure?: { readonly step?: string; readonly code: string; readonly message: string };
}

/** What every runtime hands to a step: the event, the outputs of the steps before it, and the context. */
export interface StepInput {
  readonly event: StepEvent;
  /** Of a function with batches: all events of the run, of which `event` is the first. */
  readonly events?: readonly StepEvent[];
  readonly steps: Readonly<Record<string, Json>>;
  /** The event that was waited for last on the way to the step. */
  readonly async?: StepEvent;
  /** Of a step that runs once an item of a list: the item, and its place in the list, from 0 on. */
  readonly item?: Json;
  readonly index?: number;
  /** Of a step that undoes what another did: what that, or its item, put out. */
  readonly output?: Json;
  readonly ctx: StepContext;
}
