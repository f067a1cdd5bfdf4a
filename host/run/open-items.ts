/** Which of so many items are not settled yet. Each question and each answer takes next to no time, however many there are. */
export interface OpenItems {
  /** The first open item at or behind `index`; the count of all when there is none. */
  next(index: number): number;
  close(index: number): void;
}

export function createOpenItems(count: number): OpenItems {
  // Each item points to one at or behind it, and an open one to itself; ways that were gone are made shorter.
  const towards = Int32Array.from({ length: count + 1 }, (_, index) => index);
  return {
    next(index) {
      let at = Math.min(index, count);
      while (towards[at] !== at) {
        const next = towards[at] ?? count;
        towards[at] = towards[next] ?? count;
        at = next;
      }
      return at;
    },
    close: (index) => void (towards[index] = index + 1),
  };
}
