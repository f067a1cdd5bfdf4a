import type { DeadLetters } from "./broker.ts";

/** Those of a broker to which nobody publishes but hosts, which check events first. */
export const noDeadLetters: DeadLetters = {
  count: () => Promise.resolve(0),
  list: () => Promise.resolve([]),
  get: () => Promise.resolve(undefined),
  resubmit: () => Promise.resolve(false),
  discard: () => Promise.resolve(false),
};
