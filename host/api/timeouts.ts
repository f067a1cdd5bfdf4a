/** How long a client may take. All in milliseconds. */
export interface Timeouts {
  /** From the connection to its first bytes, and from there to the end of the request's head. */
  readonly headersMs: number;
  /** From the first byte of a request to its last. */
  readonly requestMs: number;
  /** How long a connection without a request stays open. */
  readonly idleMs: number;
}

/** What a client may take where the options say nothing. Idle longer than most load balancers keep a connection. */
export const defaultTimeouts: Timeouts = { headersMs: 15_000, requestMs: 120_000, idleMs: 75_000 };
