import type { ValueExpression } from "./expression.ts";

/** What a function's document says of which runs begin, and when; compiled. */
export interface FlowControl {
  readonly idempotency?: { readonly key: ValueExpression; readonly periodMs: number };
  readonly singleton?: { readonly key?: ValueExpression; readonly mode: "skip" | "cancel" };
  readonly rateLimit?: Rate;
  readonly throttle?: Rate & { readonly burst: number };
}

/** So many runs in a period. */
export interface Rate {
  readonly limit: number;
  readonly periodMs: number;
  /** Absent: all events are counted together. */
  readonly key?: ValueExpression;
}
