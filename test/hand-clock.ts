import type { Clock } from "../host/clock.ts";

/** A clock that goes at the pace of the machine's, and can be put on. */
export interface HandClock extends Clock {
  /** So many milliseconds later, all at once. */
  advance(ms: number): void;
}

export function createHandClock(): HandClock {
  let ahead = 0;
  const waiting = new Set<() => void>();
  const now = (): number => Date.now() + ahead;
  return {
    now,
    schedule(at, callback) {
      let timer: NodeJS.Timeout;
      const cancel = (): void => {
        clearTimeout(timer);
        waiting.delete(arm);
      };
      const arm = (): void => {
        clearTimeout(timer);
        // As much as setTimeout takes; whoever puts the clock on arms it again.
        timer = setTimeout(
          () => (now() < at ? arm() : fire()),
          Math.min(Math.max(at - now(), 0), 2 ** 31 - 1),
        );
      };
      const fire = (): void => {
        cancel();
        callback();
      };
      waiting.add(arm);
      arm();
      return cancel;
    },
    advance(ms) {
      ahead += ms;
      for (const arm of waiting) arm();
    },
  };
}
