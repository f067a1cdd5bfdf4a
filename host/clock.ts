/** Time as a parameter, so that a whole host can run in simulated time. Milliseconds since 1970-01-01T00:00:00Z. */
export interface Clock {
  now(): number;
  /** Calls back once at or after `at`; the returned function takes that back. */
  schedule(at: number, callback: () => void): () => void;
}

/** How far the clock of a host may be behind that of the store's server, in milliseconds. */
export const clockSkewMs = 60_000;

/** A number in [0, 1), as Math.random gives it. */
export type Random = () => number;

/**
 * A later time is reached in hops of this length, in milliseconds: the machine's clock may be put on meanwhile, or stand
 * still while it sleeps, and setTimeout does not notice.
 */
const longestHop = 1_000;

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  schedule(at, callback) {
    let timer: NodeJS.Timeout;
    const arm = (): void => {
      const left = Math.max(at - Date.now(), 0);
      // A timer may fire a little early, or be a hop on the way.
      timer = setTimeout(() => (Date.now() < at ? arm() : callback()), Math.min(left, longestHop));
    };
    arm();
    return () => clearTimeout(timer);
  },
};
