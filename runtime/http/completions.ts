import type { StepContext } from "../input.ts";

/** How receivers complete later what they accepted with 202: each attempt has an address of its own. */
export interface Completions {
  /** Resolves to undefined where receivers could not call this host. */
  open(ctx: StepContext): Promise<OpenCompletion | undefined>;
}

/** The address of one attempt. */
interface OpenCompletion {
  readonly url: string;
  /** Tells this address from all others, and does not let anybody call it. */
  readonly id: string;
  /** Resolves with what the receiver says; never rejects. */
  readonly completed: Promise<Completion>;
  /** The attempt has ended: nobody completes it any more. */
  close(): void;
}

/** What a receiver says once it is done. */
export type Completion =
  /** The body is the output, as that of an answer. */
  | { readonly ok: true; readonly body: string }
  | {
      readonly ok: false;
      readonly message: string;
      /** No other attempt can help. */
      readonly fatal: boolean;
      readonly retryAfterMs?: number;
    };
