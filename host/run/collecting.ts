import type { Json } from "../../runtime/json.ts";
import type { Event } from "../event/event.ts";
import type { CollectDefinition } from "../function/definition.ts";
import type { CollectedEvent, HistoryEntry } from "./history.ts";

/** What a run has collected that has not begun. */
export interface Collecting {
  readonly by: CollectDefinition["by"];
  readonly key?: Json;
  /** When the first event came. */
  readonly since: number;
  readonly until: number;
  /** In the order in which they came. */
  readonly events: readonly CollectedEvent[];
  /** Of the events whose content is kept, as JSON text. */
  readonly size: number;
}

/** What collecting changes of how a run stands. */
export interface CollectingView {
  event?: Event;
  /** Its place in the broker's order. */
  eventSeq?: number;
  /** When it was stored, or had collected what it was to. */
  createdAt: number;
  /** When it began: that is put off for a run that has to wait for a time, or for more events. */
  startedAt: number;
  /** Since when the run's own time counts: its beginning, or when it was to go on once more. */
  timedFrom: number;
  /** What it collects before it begins; absent: nothing, or no more. */
  collecting?: Collecting;
  /** Of a batch, once it is complete: in the order in which they were stored. */
  events?: readonly Event[];
}

/** Events that one run collects, at most: a debounce has no limit of its own. */
const mostEvents = 10_000;
/** The sizes at which a run begins early, as characters of JSON: all of a batch is a step's input, and of a debounce one event. */
const mostSize = { batch: 4 * 2 ** 20, debounce: 16 * 2 ** 20 } as const;

/** How much room an event takes. */
export function sizeOf(event: Event): number {
  return JSON.stringify(event).length;
}

/** Brings `view` up to date with what a run collects. */
export function applyCollecting(
  view: CollectingView,
  entry: Extract<HistoryEntry, { type: "run.collecting" | "run.collected" | "run.begun" }>,
): void {
  if (entry.type === "run.begun") return settleCollected(view, entry.at);
  if (entry.type === "run.collecting") {
    const { event, eventSeq: seq = 0 } = view;
    if (event === undefined) return;
    const { at: since, by, key, until } = entry;
    const events = [{ id: event.id, seq, event }];
    view.collecting = {
      by,
      since,
      until,
      events,
      size: sizeOf(event),
      ...(key === undefined ? {} : { key }),
    };
    return;
  }
  const { collecting } = view;
  if (collecting === undefined) return;
  const size = entry.events.reduce((sum, { event }) => sum + (event === undefined ? 0 : sizeOf(event)), 0);
  const events = [...collecting.events, ...entry.events];
  view.collecting = { ...collecting, until: entry.until, events, size: collecting.size + size };
}

/** What was collected is what the run gets, in the order in which it was stored; it collects no more, for good. */
export function settleCollected(view: CollectingView, at: number): void {
  const { collecting } = view;
  if (collecting === undefined) return;
  delete view.collecting;
  const all = collecting.events
    .toSorted((one, other) => one.seq - other.seq)
    .flatMap(({ seq, event }) => (event === undefined ? [] : [{ seq, event }]));
  const own = collecting.by === "batch" ? all[0] : all.at(-1);
  if (own !== undefined) {
    view.event = own.event;
    view.eventSeq = own.seq;
  }
  if (collecting.by === "batch") view.events = all.map(({ event }) => event);
  view.createdAt = at;
  view.startedAt = at;
  view.timedFrom = at;
}

/** Why a run begins that has collected so much; undefined while there is room. */
export function fullBy(
  { by, events, size }: Pick<Collecting, "by" | "events" | "size">,
  collects: CollectDefinition,
): "count" | "size" | undefined {
  const most = collects.by === "batch" ? collects.maxSize : mostEvents;
  if (events.length >= most) return "count";
  return size >= mostSize[by] ? "size" : undefined;
}

/** Until when a run collects that gets an event at `at`. */
export function collectsUntil(collects: CollectDefinition, since: number, at: number): number {
  const { timeoutMs = Number.POSITIVE_INFINITY } = collects;
  return collects.by === "batch"
    ? since + collects.timeoutMs
    : Math.min(at + collects.periodMs, since + timeoutMs);
}

/** As many of the events as the run has room for, the first of them whatever its size where it has none yet. */
export function fitting<T extends { readonly size: number }>(
  events: readonly T[],
  collects: CollectDefinition,
  before: Pick<Collecting, "events" | "size"> = { events: [], size: 0 },
): readonly T[] {
  const most = collects.by === "batch" ? collects.maxSize : mostEvents;
  const room = Math.max(most - before.events.length, 0);
  let { size } = before;
  const end = events.slice(0, room).findIndex((event, index) => {
    size += event.size;
    return size > mostSize[collects.by] && (index > 0 || before.events.length > 0);
  });
  return events.slice(0, end === -1 ? room : end);
}
