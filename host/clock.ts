/** Time as a parameter, so that a whole host can run in simulated time. Milliseconds since 1970-01-01T00:00:00Z. */
export interface Clock {
  now(): number;
  /** Calls back once at or after `at`; the returned function takes that back. */
  schedule(at: number, callback: () => void): () => void;
}

/** A number in [0, 1), as Math.random gives it. */
export type Random = () => number;

/** The longest delay that setTimeout takes; a later time is reached in several hops. */
const longestDelay = 2 ** 31 - 1;

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  schedule(at, callback) {
    let timer: NodeJS.Timeout;
    const arm = (): void => {
      const delay = at - Date.now();
      timer = setTimeout(delay > 0 ? arm : callback, Math.min(Math.max(delay, 0), longestDelay));
    };
    const delay = at - Date.now();
    timer = setTimeout(delay > 0 ? arm : callback, Math.min(Math.max(delay, 0), longestDelay));
    return () => clearTimeout(timer);
  },
};
