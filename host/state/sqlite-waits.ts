import type { Database } from "../sqlite/database.ts";
import type { ArmedWait, Waits } from "./state.ts";

/** Armed waits in a table of their own, as small as can be: a million of them must not push the rest out of memory. */
export function createSqliteWaits(database: Database): Waits {
  const insertPath = database.prepare("INSERT INTO wait_paths VALUES (?, ?) ON CONFLICT DO NOTHING");
  const selectPaths = database.prepare("SELECT path FROM wait_paths WHERE event = ? ORDER BY path");
  const insert = database.prepare("INSERT INTO waits VALUES (?, ?, ?) ON CONFLICT DO NOTHING");
  const select = database.prepare(
    "SELECT run, wait FROM waits WHERE key = ? AND (run, wait) > (?, ?) ORDER BY run, wait LIMIT ?",
  );
  const remove = waitRemover(database);

  return {
    declare: (eventName, path) => database.write(() => void insertPath.run(eventName, path)),
    paths: async (eventName) => selectPaths.all(eventName).map((row) => String(row["path"])),
    arm: (waits) =>
      database.write(() => {
        for (const { key, runId, wait } of waits) insert.run(numberOf(key), bytesOf(runId), wait);
      }),
    disarm: (waits) => database.write(() => remove(waits)),
    async find(key, { after = "", limit }) {
      const [run = "", wait = ""] = after.split(".");
      const rows = select.all(numberOf(key), bytesOf(run), wait, limit);
      const waits = rows.map((row) => ({
        runId: Buffer.from(row["run"] as Uint8Array).toString("hex"),
        wait: String(row["wait"]),
      }));
      const last = waits.at(-1);
      return waits.length < limit || last === undefined
        ? { waits }
        : { waits, next: `${last.runId}.${last.wait}` };
    },
  };
}

/** What takes waits out, within a write. */
export function waitRemover(database: Database): (waits: readonly ArmedWait[]) => void {
  const remove = database.prepare("DELETE FROM waits WHERE key = ? AND run = ? AND wait = ?");
  return (waits) => {
    for (const { key, runId, wait } of waits) remove.run(numberOf(key), bytesOf(runId), wait);
  };
}

/** 12 hex digits are 48 bits, which a number holds exactly. */
function numberOf(key: string): number {
  return Number.parseInt(key, 16);
}

function bytesOf(runId: string): Uint8Array {
  return Buffer.from(runId, "hex");
}
