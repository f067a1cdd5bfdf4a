import type { Clock } from "../../../host/clock.ts";

/** A clock that stands still until it is set. */
export interface HandClock extends Clock {
  /** Goes there from one timer to the next; what each starts has some turns to go on. */
  advance(to: number): Promise<void>;
  /** Whether something is to be called at this time. */
  waitsFor(at: number): boolean;
}

export function handClock(beginning: number): HandClock {
  let time = beginning;
  const waiting = new Map<symbol, { readonly at: number; readonly callback: () => void }>();
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  };
  return {
    now: () => time,
    schedule(at, callback) {
      const id = Symbol();
      waiting.set(id, { at, callback });
      return () => waiting.delete(id);
    },
    waitsFor: (at) => [...waiting.values()].some((timer) => timer.at === at),
    async advance(to) {
      for (;;) {
        const [next] = [...waiting].toSorted(([, a], [, b]) => a.at - b.at);
        if (next === undefined || next[1].at > to) break;
        waiting.delete(next[0]);
        time = Math.max(time, next[1].at);
        next[1].callback();
        await settle();
      }
      time = Math.max(time, to);
      await settle();
    },
  };
}
