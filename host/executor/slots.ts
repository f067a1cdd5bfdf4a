/** A bound on how much is held in memory at once; what comes over it waits its turn, in order. */
export interface Slots {
  /** Resolves when there is room; every resolved call owes one release(). */
  acquire(): Promise<void>;
  release(): void;
}

export function createSlots(capacity: number): Slots {
  let free = capacity;
  const waiting: (() => void)[] = [];
  return {
    acquire() {
      if (free > 0) {
        free -= 1;
        return Promise.resolve();
      }
      return new Promise((resolve) => waiting.push(resolve));
    },
    release() {
      const next = waiting.shift();
      if (next === undefined) free += 1;
      else next();
    },
  };
}
