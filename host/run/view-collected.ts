import type { Json } from "../../runtime/json.ts";
import type { HistoryEntry } from "./history.ts";

/** What a run collected before it began, or does still. Times in milliseconds since 1970-01-01T00:00:00Z. */
export interface CollectedDetail {
  readonly by: "batch" | "debounce";
  /** What its events have in common. */
  readonly key?: Json;
  /** Its events so far. */
  readonly count: number;
  readonly since: number;
  /** When it begins if no more events come. */
  readonly until: number;
  readonly begunAt?: number;
  /** Why it began: its time was over, there were enough events, or they were as large as they may be. */
  readonly why?: "time" | "count" | "size";
}

/** Undefined where the run collects nothing. */
export function viewCollected(history: readonly HistoryEntry[]): CollectedDetail | undefined {
  let detail: CollectedDetail | undefined;
  for (const entry of history) {
    if (entry.type === "run.collecting") {
      const { at: since, by, key, until } = entry;
      detail = { by, ...(key === undefined ? {} : { key }), count: 1, since, until };
    } else if (detail === undefined) continue;
    else if (entry.type === "run.collected") {
      detail = { ...detail, count: detail.count + entry.events.length, until: entry.until };
    } else if (entry.type === "run.begun") detail = { ...detail, begunAt: entry.at, why: entry.why };
  }
  return detail;
}
