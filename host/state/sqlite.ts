import { createHash } from "node:crypto";
import type { Json } from "../../runtime/json.ts";
import type { Clock } from "../clock.ts";
import type { FunctionVersion } from "../function/version.ts";
import type { Database } from "../sqlite/database.ts";
import { createSqliteGates } from "./sqlite-gates.ts";
import { createSqliteKeyValues } from "./sqlite-key-values.ts";
import { createSqliteQueues } from "./sqlite-queues.ts";
import { createSqliteRuns, createUnattendedRuns } from "./sqlite-runs.ts";
import { createSqliteWaits } from "./sqlite-waits.ts";
import type { Artifacts, Catalog, State } from "./state.ts";

/** The embedded state: durable on disk (fsync) before a write resolves; with a ":memory:" database, not at all. */
export function createSqliteState(database: Database, clock: Clock): State {
  return {
    runs: createSqliteRuns(database),
    unattended: createUnattendedRuns(database),
    waits: createSqliteWaits(database),
    gates: createSqliteGates(database, clock),
    queues: createSqliteQueues(database),
    catalog: createCatalog(database),
    artifacts: createArtifacts(database),
    keyValues: createSqliteKeyValues(database),
    close: () => database.close(),
  };
}

function createCatalog(database: Database): Catalog {
  return {
    putVersion: (version) =>
      database.write(() => {
        database
          .prepare(
            "INSERT INTO versions (function_id, version, body) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
          )
          .run(version.functionId, version.version, JSON.stringify(version));
      }),
    async getVersion(functionId, version) {
      const row = database
        .prepare("SELECT body FROM versions WHERE function_id = ? AND version = ?")
        .get(functionId, version);
      return row === undefined ? undefined : parse(row);
    },
    activate: (functionId, version, at) =>
      database.write(() => {
        database
          .prepare(
            `INSERT INTO active_versions (function_id, version, activated_at) VALUES (?, ?, ?)
             ON CONFLICT DO UPDATE SET version = excluded.version, activated_at = excluded.activated_at
             WHERE version <> excluded.version`,
          )
          .run(functionId, version, at);
      }),
    deactivate: (functionId) =>
      database.write(() => {
        database.prepare("DELETE FROM active_versions WHERE function_id = ?").run(functionId);
      }),
    async everTriggeredBy(eventName) {
      const rows = database
        .prepare(
          `SELECT DISTINCT function_id FROM versions, json_each(versions.body, '$.document.triggers')
           WHERE json_extract(value, '$.event') = ?1
             OR (json_extract(value, '$.cron') IS NOT NULL AND 'cron/' || function_id = ?1)
           ORDER BY function_id`,
        )
        .all(eventName);
      return rows.map((row) => String(row["function_id"]));
    },
    async active() {
      return database
        .prepare(
          "SELECT body, activated_at FROM active_versions JOIN versions USING (function_id, version) ORDER BY function_id",
        )
        .all()
        .map((row) => {
          const version = parse(row);
          const at = row["activated_at"];
          return { ...version, activatedAt: at === null ? version.createdAt : Number(at) };
        });
    },
    putSchemas: (byName) =>
      database.write(() => {
        const put = database.prepare(
          "INSERT INTO event_schemas VALUES (?, ?) ON CONFLICT DO UPDATE SET body = excluded.body",
        );
        const remove = database.prepare("DELETE FROM event_schemas WHERE name = ?");
        for (const [name, schema] of Object.entries(byName)) {
          if (schema === null) remove.run(name);
          else put.run(name, JSON.stringify(schema));
        }
      }),
    async schemas() {
      const rows = database.prepare("SELECT name, body FROM event_schemas ORDER BY name").all();
      return Object.fromEntries(
        rows.map(({ name, body }) => [String(name), JSON.parse(String(body)) as Json]),
      );
    },
    revision: () => 0,
    newest: () => 0,
    // The file belongs to one host: nobody else changes it.
    watch: async () => ({ close: () => Promise.resolve() }),
  };
}

function parse(row: unknown): FunctionVersion {
  return JSON.parse((row as { body: string }).body) as FunctionVersion;
}

function createArtifacts(database: Database): Artifacts {
  return {
    async put(bytes) {
      const sha256 = createHash("sha256").update(bytes).digest("hex");
      await database.write(() => {
        database.prepare("INSERT INTO artifacts VALUES (?, ?) ON CONFLICT DO NOTHING").run(sha256, bytes);
      });
      return sha256;
    },
    async get(sha256) {
      const row = database.prepare("SELECT bytes FROM artifacts WHERE sha256 = ?").get(sha256);
      return (row as { bytes: Uint8Array } | undefined)?.bytes;
    },
    async has(sha256) {
      return database.prepare("SELECT 1 FROM artifacts WHERE sha256 = ?").get(sha256) !== undefined;
    },
  };
}
