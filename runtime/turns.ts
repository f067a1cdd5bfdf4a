/** A bound on how many attempts are under way at once; those above it wait, in order. */
export interface Turns {
  /**
   * Resolves with what ends the turn, which must be called once; undefined when the signal aborts first.
   */
  take(signal: AbortSignal): Promise<(() => void) | undefined>;
}

/** Turns for `most` at once. */
export function createTurns(most: number): Turns {
  let free = most;
  const waiting = new Set<() => void>();

  const end = (): void => {
    const [next] = waiting;
    if (next === undefined) free += 1;
    else next();
  };

  return {
    take(signal) {
      if (signal.aborted) return Promise.resolve(undefined);
      if (free > 0) {
        free -= 1;
        return Promise.resolve(end);
      }
      return new Promise((resolve) => {
        const settle = (turn: (() => void) | undefined): void => {
          waiting.delete(next);
          signal.removeEventListener("abort", giveUp);
          resolve(turn);
        };
        const next = (): void => settle(end);
        const giveUp = (): void => settle(undefined);
        waiting.add(next);
        signal.addEventListener("abort", giveUp);
      });
    },
  };
}
