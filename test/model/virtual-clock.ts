import type { Clock } from "../../host/clock.ts";

/** Time that goes on only when it is told to. */
export interface VirtualClock extends Clock {
  /** Goes on to that time, and does what is due by then. */
  advance(to: number): void;
  /** When the next thing is done; infinite when nothing is due. */
  readonly next: number;
  /** What is due is done so much later, as by a host that has too much to do, in milliseconds. */
  lateMs: number;
}

export function createVirtualClock(): VirtualClock {
  let now = 1_700_000_000_000;
  const waiting = new Map<() => void, number>();
  return {
    lateMs: 0,
    now: () => now,
    schedule(at, callback) {
      const once = (): void => callback();
      waiting.set(once, at);
      return () => waiting.delete(once);
    },
    get next() {
      return Math.min(...waiting.values()) + this.lateMs;
    },
    advance(to) {
      now = Math.max(now, to);
      const due = [...waiting].filter(([, at]) => at + this.lateMs <= now);
      for (const [callback] of due) {
        waiting.delete(callback);
        callback();
      }
    },
  };
}
