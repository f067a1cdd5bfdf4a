/** A count of finished runs, and a way to wait for more of them. */
export function countedRuns(): { one(): void; more(count: number): Promise<void> } {
  let finishedRuns = 0;
  let wanted = Number.POSITIVE_INFINITY;
  let reached: (() => void) | undefined;
  return {
    one() {
      finishedRuns += 1;
      if (finishedRuns >= wanted) reached?.();
    },
    more(count) {
      wanted = finishedRuns + count;
      return new Promise((resolve) => (reached = resolve));
    },
  };
}
