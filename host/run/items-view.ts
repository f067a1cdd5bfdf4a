import type { Json } from "../../runtime/json.ts";
import type { HistoryEntry, RecordedFailure } from "./history.ts";
import { createOpenItems, type OpenItems } from "./open-items.ts";
import { placeOf } from "./place.ts";
import type { SparseMap } from "./sparse-map.ts";
import type { RunState } from "./run-state.ts";

/** What became of one item for good. */
type ItemView =
  | { readonly ok: true; readonly output: Json; readonly attempts: number }
  | { readonly ok: false; readonly failure: RecordedFailure; readonly attempts: number };

/** Where the items of one step stand. */
export interface ItemsView {
  readonly count: number;
  /** The items in the order in which they begin, where that is not the list's. */
  readonly sequence?: readonly number[];
  /** Since when. */
  readonly at: number;
  /** What the step gives: the outputs alone, or what became of each item. */
  readonly gives: "outputs" | "results";
  /** The run as it was then: the list is made of it, whenever it is asked for. */
  readonly before: RunState;
  /** The list, once it was asked for. */
  list?: readonly Json[];
  readonly results: Map<number, ItemView>;
  open: OpenItems;
  /** Items whose last attempt failed, and when the next one may start. */
  readonly retrying: Map<number, { readonly attempts: number; readonly at: number }>;
  /** Those that completed, in the order in which they did. */
  order: number[];
  failed: number;
  /** The first of those that failed for good. */
  firstFailed?: { readonly item: number; readonly failure: RecordedFailure };
  /** Of the outputs together, as JSON. */
  bytes: number;
}

/** What of a run changes with its items. */
interface ItemsOwner extends RunState {
  readonly items: SparseMap<string, ItemsView>;
  readonly earlierAttempts: SparseMap<string, number>;
}

type ItemsEntry = Extract<HistoryEntry, { type: `item${string}` }>;

/** Brings the items of a step up to date; each entry takes the same time, however many there are. */
export function applyToItems(view: ItemsOwner, entry: ItemsEntry): void {
  const { step, at } = entry;
  if (entry.type === "items.begun") {
    const { count, gives } = entry;
    const { startedAt, event, events } = view;
    const before: RunState = { startedAt, steps: new Map(view.steps), waits: new Map(view.waits) };
    if (event !== undefined) before.event = event;
    if (events !== undefined) before.events = events;
    const open = createOpenItems(count);
    const none = { results: new Map(), retrying: new Map(), order: [], failed: 0, bytes: 0 };
    view.items.set(step, { count, at, gives, before, open, ...none });
    view.steps.set(step, { status: "items", attempts: 0, at });
    return;
  }
  if (entry.type === "items.failed") {
    const { failure, caught } = entry;
    view.steps.set(step, { status: "failed", attempts: 0, failure, at, ...(caught && { caught }) });
    return;
  }
  const items = view.items.get(step);
  if (items === undefined) return;
  if (entry.type === "items.completed") {
    view.steps.set(step, { status: "completed", attempts: 0, output: collected(items), at });
    return;
  }
  const { item, attempt: attempts } = entry;
  items.retrying.delete(item);
  if (entry.type === "item.completed") {
    items.results.set(item, { ok: true, output: entry.output, attempts });
    items.order.push(item);
    items.bytes += entry.bytes;
  } else if (entry.retryAt === undefined) {
    const { failure } = entry;
    items.results.set(item, { ok: false, failure, attempts });
    items.failed += 1;
    items.firstFailed ??= { item, failure };
  } else {
    items.retrying.set(item, { attempts, at: entry.retryAt });
    return;
  }
  items.open.close(item);
}

/** The step's output, in the order of the list. */
function collected({ count, sequence, gives, results }: ItemsView): Json {
  return Array.from({ length: count }, (_, index): Json => {
    const result = results.get(sequence?.[index] ?? index);
    if (result === undefined) return null;
    if (gives === "outputs") return result.ok ? result.output : null;
    if (result.ok) return { ok: true, output: result.output };
    const { code, message } = result.failure;
    return { ok: false, code, message };
  });
}

/** The step runs anew with another list: what was tried counts only towards the numbers of attempts. */
export function forgetItems(view: ItemsOwner, step: string): void {
  const items = view.items.get(step);
  if (items === undefined) return;
  for (const [item, { attempts }] of [...items.results, ...items.retrying]) {
    view.earlierAttempts.set(placeOf(step, item), attempts);
  }
  view.items.delete(step);
}

/** The step goes on with the items that have not completed, or whose effects were `undone`. */
export function reopenItems(view: ItemsOwner, step: string, undone?: ItemsView): void {
  const items = view.items.get(step);
  if (items === undefined) return;
  const isUndone = (item: number): boolean => undone?.results.get(item)?.ok === true;
  const again = [...items.results].filter(([item, { ok }]) => !ok || isUndone(item));
  for (const [item, { attempts }] of [...again, ...items.retrying]) {
    view.earlierAttempts.set(placeOf(step, item), attempts);
    items.results.delete(item);
  }
  items.retrying.clear();
  if (undone !== undefined) {
    items.order = items.order.filter((item) => !isUndone(item));
    items.bytes = Buffer.byteLength(JSON.stringify([...items.results.values()]));
  }
  items.failed = 0;
  delete items.firstFailed;
  items.open = createOpenItems(items.count);
  for (const item of items.results.keys()) items.open.close(item);
  view.steps.set(step, { status: "items", attempts: 0, at: items.at });
}
