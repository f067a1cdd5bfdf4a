import type { HistoryEntry, RunStatus } from "../run/history.ts";
import type { Database } from "../sqlite/database.ts";
import { queuedFirst } from "./sqlite-queues.ts";
import { createSqliteAssignments } from "./sqlite-assignments.ts";
import { waitRemover } from "./sqlite-waits.ts";
import type { RunFilter, RunSummary, Runs, UnattendedRuns } from "./state.ts";

interface RunRow {
  readonly seq: number;
  readonly id: string;
  readonly function_id: string;
  readonly function_version: string;
  readonly event_id: string;
  readonly event_name: string;
  readonly user_id: string | null;
  readonly created_at: number;
  readonly status: RunStatus;
  readonly wake_at: number | null;
  readonly waits_for: string | null;
  readonly finished_at: number | null;
  readonly host: string | null;
  readonly revision: number;
}

/** Runs in one table, what happened to them in another: a row for each append. */
export function createSqliteRuns(database: Database): Runs {
  const insertRun = database.prepare(
    `INSERT INTO runs (id, function_id, function_version, event_id, event_name, user_id, created_at,
       status, revision, wake_at, waits_for, finished_at, host)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
  );
  const insertHistory = database.prepare("INSERT INTO history (run, seq, entries) VALUES (?, ?, ?)");
  const advanceRun = database.prepare(
    `UPDATE runs SET revision = revision + 1, status = ?, wake_at = ?, waits_for = ?, finished_at = ?, host = ?
     WHERE id = ? AND revision = ? RETURNING seq`,
  );
  const disarm = waitRemover(database);
  const { elsewhere, ...assignments } = createSqliteAssignments(database);
  const selectRun = database.prepare("SELECT * FROM runs WHERE id = ?");
  const selectHistory = database.prepare("SELECT entries FROM history WHERE run = ? ORDER BY seq");

  return {
    create: (run, entries, update) => {
      const text = JSON.stringify(entries);
      return database.write(() => {
        if (elsewhere(run)) return undefined;
        const { changes, lastInsertRowid } = insertRun.run(
          run.id,
          run.functionId,
          run.functionVersion,
          run.eventId,
          run.eventName,
          run.userId ?? null,
          run.createdAt,
          update.status,
          update.wakeAt ?? null,
          update.waitsFor ?? null,
          update.finishedAt ?? null,
          update.host ?? null,
        );
        if (changes === 0) return undefined;
        insertHistory.run(lastInsertRowid, 1, text);
        return 1;
      });
    },
    append: (run, revision, entries, update) => {
      const text = JSON.stringify(entries);
      return database.write(() => {
        const row = advanceRun.get(
          update.status,
          update.wakeAt ?? null,
          update.waitsFor ?? null,
          update.finishedAt ?? null,
          update.host ?? null,
          run.id,
          revision,
        ) as { seq: number } | undefined;
        if (row === undefined) return undefined;
        if (entries.length > 0) insertHistory.run(row.seq, revision + 1, text);
        if (update.disarm !== undefined) disarm(update.disarm);
        return revision + 1;
      });
    },
    async load(runId) {
      const row = selectRun.get(runId) as RunRow | undefined;
      if (row === undefined) return undefined;
      const history = selectHistory
        .all(row.seq)
        .flatMap((part) => JSON.parse((part as { entries: string }).entries) as HistoryEntry[]);
      return { ...summary(row), revision: row.revision, history };
    },
    ...assignments,
    query: async (filter) => queryRuns(database, filter),
  };
}

/** The timers of parked runs, and the runs that an ended host left. */
export function createUnattendedRuns(database: Database): UnattendedRuns {
  const selectDue = database.prepare(
    "SELECT id FROM runs WHERE wake_at IS NOT NULL AND wake_at <= ? ORDER BY wake_at LIMIT ?",
  );
  const claim = database.prepare(
    "UPDATE runs SET wake_at = NULL, waits_for = NULL, status = 'running', revision = revision + 1 WHERE id = ?",
  );

  return {
    async claimDue(now, limit) {
      if (selectDue.get(now, 1) === undefined) return [];
      return database.write(() => {
        const ids = selectDue.all(now, limit).map((row) => (row as { id: string }).id);
        for (const id of ids) claim.run(id);
        return ids;
      });
    },
    async nextDue() {
      const row = database.prepare("SELECT MIN(wake_at) AS at FROM runs WHERE wake_at IS NOT NULL").get();
      return (row as { at: number | null }).at ?? undefined;
    },
    async orphans(afterId, limit) {
      return database
        .prepare(
          `SELECT id FROM runs WHERE status = 'running'
             AND seq > COALESCE((SELECT seq FROM runs WHERE id = ?), 0) ORDER BY seq LIMIT ?`,
        )
        .all(afterId ?? null, limit)
        .map((row) => (row as { id: string }).id);
    },
    queued: async () => queuedFirst(database),
  };
}

function queryRuns(database: Database, filter: RunFilter): Awaited<ReturnType<Runs["query"]>> {
  const conditions: [string, ...(string | number)[]][] = [];
  if (filter.functionId !== undefined) conditions.push(["function_id = ?", filter.functionId]);
  if (filter.eventId !== undefined) {
    const collected = "id IN (SELECT run FROM assignments WHERE event = ?)";
    conditions.push([`(event_id = ? OR ${collected})`, filter.eventId, filter.eventId]);
  }
  if (filter.userId !== undefined) conditions.push(["user_id = ?", filter.userId]);
  if (filter.status !== undefined) {
    // Written out: SQLite takes the partial index only where the text proves that it applies.
    conditions.push([
      filter.status === "completed" ? "status = ?" : "status <> 'completed' AND status = ?",
      filter.status,
    ]);
  }
  if (filter.cursor !== undefined) conditions.push(["seq < ?", Number(filter.cursor)]);
  const where = conditions.length === 0 ? "" : `WHERE ${conditions.map(([sql]) => sql).join(" AND ")}`;
  const rows = database
    .prepare(`SELECT * FROM runs ${where} ORDER BY seq DESC LIMIT ?`)
    .all(...conditions.flatMap(([, ...values]) => values), filter.limit + 1) as unknown as RunRow[];
  const page = rows.slice(0, filter.limit);
  const last = page.at(-1);
  return rows.length > filter.limit && last !== undefined
    ? { runs: page.map(summary), next: String(last.seq) }
    : { runs: page.map(summary) };
}

function summary(row: RunRow): RunSummary {
  return {
    id: row.id,
    functionId: row.function_id,
    functionVersion: row.function_version,
    eventId: row.event_id,
    eventName: row.event_name,
    ...(row.user_id === null ? {} : { userId: row.user_id }),
    createdAt: row.created_at,
    status: row.status,
    ...(row.wake_at === null ? {} : { wakeAt: row.wake_at }),
    ...(row.waits_for === null ? {} : { waitsFor: row.waits_for }),
    ...(row.finished_at === null ? {} : { finishedAt: row.finished_at }),
    ...(row.host === null ? {} : { host: row.host }),
  };
}
