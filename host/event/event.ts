import type { Json } from "../../runtime/json.ts";

/** An event as it is stored and matched. `ts` is in milliseconds since 1970-01-01T00:00:00Z. */
export interface Event {
  readonly id: string;
  readonly name: string;
  readonly data: Json;
  readonly user?: Json;
  readonly ts: number;
  readonly v?: string;
  /** W3C trace context of the sender, carried to every step. */
  readonly traceparent?: string;
}
