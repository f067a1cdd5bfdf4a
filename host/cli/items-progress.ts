import type { HistoryEntry } from "../run/history.ts";

type Begun = Extract<HistoryEntry, { type: "items.begun" }>;
type Item = Extract<HistoryEntry, { type: "item.completed" | "item.failed" }>;

/** Of lists that are longer, not each item has its line. */
const eachShown = 20;

/** How far steps are with their items, so that a long list does not drown what else happens. */
export interface ItemsProgress {
  begin(runId: string, entry: Begun): void;
  /** What is to be shown of an item whose attempt has ended: itself, or how many are done by now; nothing of most. */
  note(runId: string, entry: Item): { readonly itself: boolean; readonly done?: string };
  end(runId: string, step: string): void;
}

export function createItemsProgress(): ItemsProgress {
  const lists = new Map<string, { readonly count: number; done: number; failures: number }>();
  return {
    begin(runId, { step, count }) {
      lists.set(keyOf(runId, step), { count, done: 0, failures: 0 });
    },
    note(runId, entry) {
      const list = lists.get(keyOf(runId, entry.step));
      const failed = entry.type === "item.failed";
      // Followed from somewhere in between.
      if (list === undefined) return { itself: failed };
      if (!failed || entry.retryAt === undefined) list.done += 1;
      if (list.count <= eachShown) return { itself: true };
      if (failed) return { itself: list.failures++ < eachShown };
      const tenth = Math.ceil(list.count / 10);
      return {
        itself: false,
        ...(list.done % tenth === 0 ? { done: `${list.done} of ${list.count} items` } : {}),
      };
    },
    end: (runId, step) => void lists.delete(keyOf(runId, step)),
  };
}

function keyOf(runId: string, step: string): string {
  return `${runId} ${step}`;
}
