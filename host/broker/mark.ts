/** The place in an ordered feed up to which everything is acknowledged. */
export interface Mark {
  /** This item was handed over; items come in the order of their seq. */
  hand(seq: number): void;
  /** True when the mark has moved. */
  acknowledge(seq: number): boolean;
  at(): number;
}

export function createMark(start: number): Mark {
  /** Handed over and not below the mark, in order; true once acknowledged. */
  const handed = new Map<number, boolean>();
  let at = start;
  return {
    hand: (seq) => void handed.set(seq, false),
    acknowledge(seq) {
      handed.set(seq, true);
      for (const [first, done] of handed) {
        if (!done) break;
        handed.delete(first);
        at = first;
      }
      return at >= seq;
    },
    at: () => at,
  };
}
