import type { Clock } from "../clock.ts";
import type { Event } from "../event/event.ts";
import type { Database } from "../sqlite/database.ts";
import type { Broker, EventFilter, Published, StoredEvent } from "./broker.ts";
import { noDeadLetters } from "./dead-letters.ts";
import { createFeed, type Feed } from "./feed.ts";

interface EventRow {
  readonly seq: number;
  readonly stored_at: number;
  readonly body: string;
}

/** How many stored events are held in memory, at most, for consumers to take. */
const pageSize = 1_000;

/**
 * The embedded broker. Events are durable (fsync) before publish resolves. The dedupe window of an event's id is as
 * long as the event is stored. What was consumed is written down along with later commits, so a killed host takes its
 * last few events again; run ids make that harmless.
 */
export function createSqliteBroker(database: Database, clock: Clock): Broker {
  const insertEvent = database.prepare(
    "INSERT INTO events (id, name, stored_at, body) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
  );
  const saveCursor = database.prepare(
    "INSERT INTO cursors (name, seq) VALUES (?, ?) ON CONFLICT DO UPDATE SET seq = excluded.seq",
  );
  const selectEvents = database.prepare(
    "SELECT seq, stored_at, body FROM events WHERE seq > ? ORDER BY seq LIMIT ?",
  );
  const insertWake = database.prepare("INSERT INTO wakes (run_id) VALUES (?)");
  const selectWakes = database.prepare("SELECT seq, run_id FROM wakes WHERE seq > ? ORDER BY seq LIMIT ?");
  const deleteWakes = database.prepare("DELETE FROM wakes WHERE seq <= ?");

  const cursor = (name: string): number => {
    const row = database.prepare("SELECT seq FROM cursors WHERE name = ?").get(name);
    return (row as { seq: number } | undefined)?.seq ?? 0;
  };
  const last = (table: "events" | "wakes"): number =>
    (database.prepare(`SELECT COALESCE(MAX(seq), 0) AS seq FROM ${table}`).get() as { seq: number }).seq;

  const events: Feed<StoredEvent> = createFeed({
    clock,
    pageSize,
    start: cursor("events"),
    end: last("events"),
    read: (after, limit) => (selectEvents.all(after, limit) as unknown as EventRow[]).map(stored),
    acknowledged: (seq) => database.piggyback(() => saveCursor.run("events", seq())),
  });
  const wakes: Feed<{ seq: number; runId: string }> = createFeed({
    clock,
    pageSize,
    start: 0,
    end: last("wakes"),
    read: (after, limit) =>
      selectWakes.all(after, limit).map((row) => ({ seq: Number(row.seq), runId: String(row.run_id) })),
    acknowledged: (seq) => database.piggyback(() => deleteWakes.run(seq())),
  });

  return {
    leased: false,
    deadLetters: noDeadLetters,
    ready: () => database.write(() => undefined),
    publish(batch) {
      const storedAt = clock.now();
      const bodies = batch.map((event) => JSON.stringify(event));
      return database
        .write(() =>
          batch.map((event, index) => {
            const { changes, lastInsertRowid } = insertEvent.run(
              event.id,
              event.name,
              storedAt,
              bodies[index] ?? "",
            );
            return changes === 0 ? undefined : Number(lastInsertRowid);
          }),
        )
        .then((seqs) => batch.map((event, index) => offer(events, event, seqs[index], storedAt)));
    },
    consumeEvents: async (handler, options) =>
      events.consume((event) => handler(event, false), options.maxInFlight),
    async wake(runId) {
      const seq = await database.write(() => Number(insertWake.run(runId).lastInsertRowid));
      wakes.offer({ seq, runId });
    },
    consumeWakes: async (handler, options) =>
      wakes.consume((wake) => handler(wake.runId), options.maxInFlight),
    readEvents: async (filter) => readEvents(database, filter),
    readEvent: async (id) => readEvent(database, id),
    keeps: async () => Number.POSITIVE_INFINITY,
    settled: async () => events.acknowledged(),
    async close() {
      await Promise.all([events.close(), wakes.close()]);
    },
  };
}

function offer(feed: Feed<StoredEvent>, event: Event, seq: number | undefined, storedAt: number): Published {
  if (seq !== undefined) feed.offer({ seq, storedAt, event });
  return { id: event.id, duplicate: seq === undefined };
}

function readEvents(database: Database, filter: EventFilter): StoredEvent[] {
  const conditions: [string, string | number][] = [["seq > ?", filter.afterSeq ?? 0]];
  if (filter.name !== undefined) conditions.push(["name = ?", filter.name]);
  if (filter.beforeSeq !== undefined) conditions.push(["seq < ?", filter.beforeSeq]);
  const rows = database
    .prepare(
      `SELECT seq, stored_at, body FROM events WHERE ${conditions.map(([sql]) => sql).join(" AND ")}
       ORDER BY seq ${filter.newestFirst === true ? "DESC" : "ASC"} LIMIT ?`,
    )
    .all(...conditions.map(([, value]) => value), filter.limit);
  return (rows as unknown as EventRow[]).map(stored);
}

function readEvent(database: Database, id: string): StoredEvent | undefined {
  const row = database.prepare("SELECT seq, stored_at, body FROM events WHERE id = ?").get(id);
  return row === undefined ? undefined : stored(row as unknown as EventRow);
}

function stored(row: EventRow): StoredEvent {
  return { seq: row.seq, storedAt: row.stored_at, event: JSON.parse(row.body) as Event };
}
