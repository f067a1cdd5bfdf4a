import type { StoredEvent } from "../broker/broker.ts";
import type { Definition } from "../function/definition.ts";

/** What becomes of a new run. */
export type Admitted =
  | { readonly kind: "now" }
  | { readonly kind: "later"; readonly until: number; readonly reason: string }
  | {
      readonly kind: "refused";
      readonly reason: string;
      /** Takes back what other controls had given the run, once it is known that it was not stored before, as admitted. */
      undo?(): Promise<void>;
    };

/** Who asks: the run that a function would have for an event. */
export interface Applicant {
  readonly definition: Definition;
  readonly stored: StoredEvent;
  readonly run: string;
}
