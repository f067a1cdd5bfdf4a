import type { RecordedFailure } from "./history.ts";
import type { ItemsView } from "./items-view.ts";

/** How far a step is with the items of its list. */
export interface ItemsDetail {
  readonly total: number;
  readonly completed: number;
  /** For good. */
  readonly failed: number;
  /** Those that wait for their next attempt. */
  readonly retrying: number;
  /** Of those that failed for good, the first in the list. */
  readonly failures: readonly ItemFailure[];
}

/** An item that failed for good, or whose last attempt failed. */
interface ItemFailure extends RecordedFailure {
  /** Its place in the list, from 0 on. */
  readonly item: number;
  readonly attempts: number;
}

/** Failures that are told one by one; the step's output, or the history, has all of them. */
const mostTold = 20;

export function itemsDetail({ count, order, failed, retrying, results }: ItemsView): ItemsDetail {
  const failures = [...results].flatMap(([item, result]): ItemFailure[] =>
    result.ok ? [] : [{ item, attempts: result.attempts, ...result.failure }],
  );
  return {
    total: count,
    completed: order.length,
    failed,
    retrying: retrying.size,
    failures: failures.toSorted((one, other) => one.item - other.item).slice(0, mostTold),
  };
}
