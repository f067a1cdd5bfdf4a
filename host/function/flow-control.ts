import type { ValueExpression } from "./expression.ts";

/** What a function's document says of which runs begin, and when; compiled. */
export interface FlowControl {
  readonly idempotency?: { readonly key: ValueExpression; readonly periodMs: number };
  readonly singleton?: { readonly key?: ValueExpression; readonly mode: "skip" | "cancel" };
  readonly rateLimit?: Rate;
  readonly throttle?: Rate & { readonly burst: number };
  /** In the order in which a run asks for slots, which is the same for all that share some: so none waits for another in a ring. */
  readonly concurrency?: readonly ConcurrencyLimit[];
  /** Of runs that wait for a slot, those with the higher number go first. */
  readonly priority?: ValueExpression;
}

/** So many runs that execute steps at once. */
export interface ConcurrencyLimit {
  readonly limit: number;
  readonly key?: ValueExpression;
  /** What it is shared by with other functions; absent: it is the function's own. */
  readonly name?: string;
}

/** So many runs in a period. */
export interface Rate {
  readonly limit: number;
  readonly periodMs: number;
  /** Absent: all events are counted together. */
  readonly key?: ValueExpression;
}
