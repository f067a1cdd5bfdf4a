import type { Json } from "../../runtime/json.ts";
import type { Clock } from "../clock.ts";
import type { Database } from "../sqlite/database.ts";
import type { Gates } from "./state.ts";

/** Documents that are over and go with each write, at most. */
const sweptAtOnce = 10;

/** Documents of flow control in a table: replaced, not updated, so that a revision never comes again. */
export function createSqliteGates(database: Database, clock: Clock): Gates {
  const select = database.prepare(
    "SELECT revision, value FROM gates WHERE key = ? AND (goes_at IS NULL OR goes_at > ?)",
  );
  const replace = database.prepare("INSERT OR REPLACE INTO gates (key, value, goes_at) VALUES (?, ?, ?)");
  const sweep = database.prepare(
    `DELETE FROM gates WHERE revision IN
       (SELECT revision FROM gates WHERE goes_at IS NOT NULL AND goes_at <= ? LIMIT ${sweptAtOnce})`,
  );
  const read = (key: string) =>
    select.get(key, clock.now()) as { revision: number; value: string } | undefined;

  return {
    async load(key) {
      const row = read(key);
      return row && { revision: row.revision, value: JSON.parse(row.value) as Json };
    },
    store(key, value, over, keepMs) {
      const text = JSON.stringify(value);
      return database.write(() => {
        const now = clock.now();
        if ((read(key)?.revision ?? null) !== over) return undefined;
        const { lastInsertRowid } = replace.run(key, text, keepMs === undefined ? null : now + keepMs);
        sweep.run(now);
        return Number(lastInsertRowid);
      });
    },
  };
}
