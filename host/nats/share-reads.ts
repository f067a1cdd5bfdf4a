/**
 * Shares a read among those who ask at once: each gets the result of one that began after they asked. So many asking
 * at a time cost no more than one after the other.
 */
export function shareReads<T>(read: () => Promise<T>): () => Promise<T> {
  let underWay: Promise<unknown> = Promise.resolve();
  let next: Promise<T> | undefined;
  return () => {
    next ??= underWay.then(() => {
      next = undefined;
      const reading = read();
      // Whoever asked hears of a failure; the next read begins all the same.
      underWay = reading.catch(() => undefined);
      return reading;
    });
    return next;
  };
}
