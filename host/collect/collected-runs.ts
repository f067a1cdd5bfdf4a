import type { Json } from "../../runtime/json.ts";
import type { StoredEvent } from "../broker/broker.ts";
import type { Clock } from "../clock.ts";
import type { CollectDefinition, Definition } from "../function/definition.ts";
import type { Live } from "../live.ts";
import type { RunHeader, Runs, RunUpdate, StoredRun } from "../state/state.ts";
import { collectsUntil, fitting, fullBy, type Collecting } from "../run/collecting.ts";
import { headerOf, headerOfRun } from "../run/header.ts";
import type { CollectedEvent, HistoryEntry } from "../run/history.ts";
import { applyEntry, emptyView, foldHistory, type RunView } from "../run/run-view.ts";
import { moreEvents } from "../run/waits-for.ts";

/** A run that collects events, or has. */
interface CollectedRun {
  /** Undefined once it has begun, or is over: for good. */
  readonly collecting: Collecting | undefined;
  has(eventId: string): boolean;
}

/** The runs into which the events of one version and one key go. Each write is refused when the run has gone on. */
export interface CollectedRuns {
  /** As this host knows it: it may have gone on. Undefined where there is none of that id yet. */
  load(runId: string): Promise<CollectedRun | undefined>;
  /**
   * Adds events that the run does not have, creates it with them, and has it begin if that is enough; false: refused, or
   * there is no room for all of them by now.
   */
  add(runId: string, events: readonly SizedEvent[]): Promise<boolean>;
  /** Has it begin; false: refused. */
  begin(runId: string, why: "time" | "size"): Promise<boolean>;
  /** What is known may be wrong. */
  forget(): void;
}

/** An event, and how many characters of JSON it has. */
interface SizedEvent {
  readonly stored: StoredEvent;
  readonly size: number;
}

interface CollectedRunsOptions {
  readonly definition: Definition & { readonly collects: CollectDefinition };
  /** What the events have in common. */
  readonly key: Json | undefined;
  readonly runs: Pick<Runs, "load" | "create" | "append">;
  readonly clock: Clock;
  readonly live: Live;
  armed(wakeAt: number): void;
  /** Has a run looked at by whoever holds it, or may; durable when it resolves. */
  wake(runId: string, holder: string | undefined): Promise<void>;
}

interface Known {
  readonly run: Omit<StoredRun, "history">;
  readonly view: RunView;
  readonly ids: Set<string>;
}

export function createCollectedRuns(options: CollectedRunsOptions): CollectedRuns {
  const { definition, key, runs, clock, live } = options;
  const { collects } = definition;
  /** The last that was written, or read. */
  let known: Known | undefined;

  const find = async (runId: string): Promise<Known | undefined> => {
    if (known?.run.id === runId) return known;
    const stored = await runs.load(runId);
    if (stored === undefined) return undefined;
    const { history, ...run } = stored;
    known = { run, view: foldHistory(history), ids: idsOf(history) };
    return known;
  };

  /** Resolves to whether it was stored; either way that is known from then on. */
  const write = async (
    at: Known | undefined,
    entries: readonly HistoryEntry[],
    next: Next,
  ): Promise<boolean> => {
    const header = headerOfRun(next.run);
    const { id } = header;
    known = undefined;
    const revision =
      at === undefined
        ? await runs.create(header, entries, next.update)
        : await runs.append(header, next.run.revision, entries, next.update);
    if (revision === undefined) return false;
    const view = at?.view ?? emptyView();
    const ids = at?.ids ?? new Set();
    tell(live, header, entries, view.seq);
    for (const entry of entries) applyEntry(view, entry);
    for (const id of idsOf(entries)) ids.add(id);
    const { keepsTimer, ...update } = next.update;
    known = { run: { ...header, ...update, revision }, view, ids };
    if (update.wakeAt !== undefined && keepsTimer !== true) options.armed(update.wakeAt);
    if (view.collecting === undefined) await options.wake(id, update.host);
    return true;
  };

  const create = (runId: string, events: readonly StoredEvent[]): Promise<boolean> => {
    const [first, ...rest] = events;
    if (first === undefined) return Promise.resolve(true);
    const at = clock.now();
    const header = { ...headerOf(definition, first.event, at), id: runId };
    const until = collectsUntil(collects, at, at);
    const beginning: readonly HistoryEntry[] = [
      { type: "run.started", at, event: first.event, eventSeq: first.seq },
      { type: "run.collecting", at, by: collects.by, ...(key === undefined ? {} : { key }), until },
    ];
    const entries = [...beginning, ...additions(foldHistory(beginning), rest, { at, collects })];
    const begins = entries.at(-1)?.type === "run.begun";
    const update: RunUpdate = begins
      ? { status: "parked", wakeAt: at }
      : { status: "parked", wakeAt: until, waitsFor: moreEvents };
    return write(undefined, entries, { run: { ...header, revision: 0, ...update }, update });
  };

  const append = (at: Known, entries: readonly HistoryEntry[]): Promise<boolean> => {
    const begins = entries.at(-1)?.type === "run.begun";
    return write(at, entries, { run: at.run, update: updateOf(at.run, begins ? clock.now() : undefined) });
  };

  return {
    async load(runId) {
      const found = await find(runId);
      return found && { collecting: found.view.collecting, has: (id) => found.ids.has(id) };
    },
    async add(runId, given) {
      const found = await find(runId);
      // An event that is handed over twice may come twice at a time.
      const events = [...new Map(given.map((one) => [one.stored.event.id, one])).values()];
      if (found === undefined)
        return create(
          runId,
          events.map(({ stored }) => stored),
        );
      const { view, ids } = found;
      const added = events.filter(({ stored }) => !ids.has(stored.event.id));
      // What comes again may have been with a host that has ended before it had the run looked at.
      if (added.length < events.length && view.finished === undefined) {
        await options.wake(runId, found.run.host);
      }
      if (added.length === 0) return true;
      const { collecting } = view;
      if (collecting === undefined || fitting(added, collects, collecting).length < added.length)
        return false;
      return append(
        found,
        additions(
          { ...view },
          added.map(({ stored }) => stored),
          { at: clock.now(), collects },
        ),
      );
    },
    async begin(runId, why) {
      const found = await find(runId);
      if (found?.view.collecting === undefined) return false;
      return append(found, [{ type: "run.begun", at: clock.now(), why }]);
    },
    forget: () => void (known = undefined),
  };
}

function tell(live: Live, run: RunHeader, entries: readonly HistoryEntry[], behind: number): void {
  if (!live.observed) return;
  const { id: runId, functionId } = run;
  for (const [index, entry] of entries.entries()) {
    live.publish({ type: "history", at: entry.at, runId, functionId, entry, seq: behind + index + 1 });
  }
}

interface Next {
  readonly run: Omit<StoredRun, "history">;
  readonly update: RunUpdate;
}

/** Who holds the run, and its timer, stay as they are, unless it begins now. A timer that is too early sets the next. */
function updateOf(
  { status, host, wakeAt, waitsFor }: Omit<StoredRun, "history">,
  beginsAt: number | undefined,
): RunUpdate {
  const timer = status === "running" ? wakeAt : (beginsAt ?? wakeAt);
  const keeps = timer !== undefined && timer === wakeAt;
  return {
    status,
    ...(host === undefined ? {} : { host }),
    ...(timer === undefined ? {} : { wakeAt: timer }),
    ...(beginsAt === undefined && waitsFor !== undefined ? { waitsFor } : {}),
    ...(keeps ? { keepsTimer: true } : {}),
  };
}

/** A debounce keeps the content of the last event alone. */
function kept({ by, events: before }: Collecting, events: readonly StoredEvent[]): readonly CollectedEvent[] {
  if (by === "batch") return events.map(({ seq, event }) => ({ id: event.id, seq, event }));
  const last = Math.max(...[...before, ...events].map(({ seq }) => seq));
  return events.map(({ seq, event }) => ({ id: event.id, seq, ...(seq === last ? { event } : {}) }));
}

/** The events that a run has. */
function idsOf(history: readonly HistoryEntry[]): Set<string> {
  return new Set(
    history.flatMap((entry) => {
      if (entry.type === "run.started") return [entry.event.id];
      return entry.type === "run.collected" ? entry.events.map(({ id }) => id) : [];
    }),
  );
}

/** The entries by which events are added, and the run begins if they are enough. `view` is spent. */
function additions(
  view: RunView,
  events: readonly StoredEvent[],
  { at, collects }: { readonly at: number; readonly collects: CollectDefinition },
): readonly HistoryEntry[] {
  const entries: HistoryEntry[] = [];
  const { collecting } = view;
  if (collecting === undefined) return entries;
  if (events.length > 0) {
    const until = Math.max(collecting.until, collectsUntil(collects, collecting.since, at));
    const limit = collects.timeoutMs === undefined ? until : collecting.since + collects.timeoutMs;
    const added = kept(collecting, events);
    const entry: HistoryEntry = { type: "run.collected", at, events: added, until: Math.min(until, limit) };
    applyEntry(view, entry);
    entries.push(entry);
  }
  const why = fullBy(view.collecting ?? collecting, collects);
  if (why !== undefined) entries.push({ type: "run.begun", at, why });
  return entries;
}
