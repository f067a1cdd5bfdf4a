import type { Database } from "../sqlite/database.ts";
import type { Assignment, RunHeader, Runs } from "./state.ts";

type EventOf = Pick<RunHeader, "eventId" | "functionId">;

interface SqliteAssignments extends Pick<Runs, "assign" | "reassign" | "assigned"> {
  /** Whether the event goes into another run than this one; within a write. */
  elsewhere(run: RunHeader): boolean;
}

/** Which runs have events that began none of their own, in a table that mostly is empty. */
export function createSqliteAssignments(database: Database): SqliteAssignments {
  const insert = database.prepare("INSERT INTO assignments VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING");
  const select = database.prepare(
    "SELECT run, function_version FROM assignments WHERE event = ? AND function_id = ?",
  );
  const move = database.prepare(
    "UPDATE assignments SET run = ? WHERE event = ? AND function_id = ? AND run = ?",
  );
  const ownRun = database.prepare("SELECT 1 FROM runs WHERE id = ?");
  let some = database.prepare("SELECT 1 FROM assignments LIMIT 1").get() !== undefined;

  const find = ({ eventId, functionId }: EventOf): Assignment | undefined => {
    const row = some ? select.get(eventId, functionId) : undefined;
    return row && { runId: String(row["run"]), functionVersion: String(row["function_version"]) };
  };

  return {
    elsewhere: (run) => (find(run)?.runId ?? run.id) !== run.id,
    assigned: async (own) => find(own),
    assign: (all, into) =>
      database.write(() => {
        some = true;
        return all.map((own) => {
          if (ownRun.get(own.id) !== undefined) return undefined;
          insert.run(own.eventId, own.functionId, own.functionVersion, into);
          return find(own);
        });
      }),
    reassign: (own, from, into) =>
      database.write(() => {
        move.run(into, own.eventId, own.functionId, from);
        return find(own);
      }),
  };
}
