import { added, type KeyValues, keysAPage, keyValueBounds } from "../../runtime/key-values.ts";
import type { Database } from "../sqlite/database.ts";

/** Key-value stores in the embedded file. */
export function createSqliteKeyValues(database: Database): KeyValues {
  const read = (functionId: string, key: string) =>
    database
      .prepare("SELECT value, revision FROM key_values WHERE function_id = ? AND key = ?")
      .get(functionId, key) as { value: Uint8Array; revision: number } | undefined;
  const isFull = (functionId: string): boolean => {
    const row = database
      .prepare("SELECT count(*) AS keys FROM key_values WHERE function_id = ?")
      .get(functionId);
    return Number(row?.["keys"]) >= keyValueBounds.keys;
  };
  /** Replaced, not updated: a revision never comes again, even for a key that was removed meanwhile. */
  const write = (functionId: string, key: string, value: Uint8Array): void => {
    database
      .prepare("INSERT OR REPLACE INTO key_values (function_id, key, value) VALUES (?, ?, ?)")
      .run(functionId, key, value);
  };

  return {
    async get(functionId, key) {
      const row = read(functionId, key);
      return row && { value: row.value, revision: String(row.revision) };
    },
    set: (functionId, key, value, over) =>
      database.write(() => {
        const found = read(functionId, key);
        const revision = found === undefined ? null : String(found.revision);
        if (over !== undefined && over !== revision) return "changed";
        if (found === undefined && isFull(functionId)) return "full";
        write(functionId, key, value);
        return "done";
      }),
    delete: (functionId, key) =>
      database.write(() => {
        database.prepare("DELETE FROM key_values WHERE function_id = ? AND key = ?").run(functionId, key);
      }),
    async keys(functionId, after = "") {
      const rows = database
        .prepare("SELECT key FROM key_values WHERE function_id = ? AND key > ? ORDER BY key LIMIT ?")
        .all(functionId, after, keysAPage + 1);
      const keys = rows.slice(0, keysAPage).map(({ key }) => String(key));
      const next = rows.length > keysAPage ? keys.at(-1) : undefined;
      return { keys, ...(next !== undefined && { next }) };
    },
    increment: (functionId, key, delta) =>
      database.write(() => {
        const found = read(functionId, key);
        const sum = added(found?.value, delta);
        if (sum === undefined) return "no-number";
        if (found === undefined && isFull(functionId)) return "full";
        write(functionId, key, Buffer.from(String(sum)));
        return sum;
      }),
  };
}
