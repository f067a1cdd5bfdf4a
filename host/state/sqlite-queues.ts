import type { Database } from "../sqlite/database.ts";
import type { Queues } from "./state.ts";

/** Queues in one table, whose numbers are the places. */
export function createSqliteQueues(database: Database): Queues {
  const insert = database.prepare("INSERT INTO queued (queue, run_id) VALUES (?, ?)");
  const select = database.prepare(
    "SELECT run_id, place FROM queued WHERE queue = ? AND place > ? ORDER BY place LIMIT ?",
  );
  const remove = database.prepare("DELETE FROM queued WHERE place = ? AND queue = ?");
  return {
    add: (queue, runId) => database.write(() => Number(insert.run(queue, runId).lastInsertRowid)),
    next: async (queue, after, limit) =>
      select
        .all(queue, after, limit)
        .map((row) => ({ runId: String(row["run_id"]), place: Number(row["place"]) })),
    remove: (queue, place) => database.write(() => void remove.run(place, queue)),
  };
}

/** Every queue that is not empty, with its first run: looked up from one queue to the next, not from run to run. */
export function queuedFirst(database: Database): readonly { queue: string; runId: string }[] {
  return database
    .prepare(
      `WITH RECURSIVE names(queue) AS (
         SELECT MIN(queue) FROM queued
         UNION ALL
         SELECT (SELECT MIN(queue) FROM queued WHERE queue > names.queue) FROM names WHERE names.queue IS NOT NULL
       )
       SELECT queue, (SELECT run_id FROM queued WHERE queue = names.queue ORDER BY place LIMIT 1) AS run_id
       FROM names WHERE queue IS NOT NULL`,
    )
    .all()
    .map((row) => ({ queue: String(row["queue"]), runId: String(row["run_id"]) }));
}
