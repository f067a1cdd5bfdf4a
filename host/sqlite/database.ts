import { DatabaseSync, type StatementSync } from "node:sqlite";
import { MillraceError } from "../errors.ts";
import { migrations } from "./schema.ts";

/** A prepared statement; parameters are bound by position. */
type Statement = StatementSync;

/** One embedded database file, shared by the embedded broker and the embedded state. */
export interface Database {
  /** A statement, compiled once for the database's life. */
  prepare(sql: string): Statement;
  /**
   * Runs `operation` in the next group commit; resolves when that is on disk. What it returns is the result;
   * what it throws rejects this write alone.
   */
  write<T>(operation: () => T): Promise<T>;
  /** Runs `operation` along with the next group commit, whenever that comes: for what may be lost. */
  piggyback(operation: () => void): void;
  /** Commits what waits and closes the file. Idempotent. */
  close(): Promise<void>;
}

interface QueuedWrite {
  readonly operation: () => unknown;
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
}

export interface DatabaseOptions {
  /** A file's path, or ":memory:". */
  readonly file: string;
  /** The size that the file may not grow over, in bytes; a write that would is refused with ERR_STORE_FULL. */
  readonly maxBytes?: number;
}

/** SQLite's result codes (https://www.sqlite.org/rescode.html). */
const sqliteBusy = 5;
const sqliteFull = 13;
const pageBytes = 4096;

/** The share of memory that pages of the file may take: 64 MiB. */
const cacheKib = 64 * 1024;

/** The write-ahead log is folded into the file when it has grown by this: 16 MiB. */
const checkpointPages = 4_000;

/** Opens the file, creating it when absent. Throws ERR_STORE_LOCKED when another process has it open. */
export function openDatabase(options: DatabaseOptions): Database {
  const connection = connect(options);
  const statements = new Map<string, Statement>();
  let queue: QueuedWrite[] = [];
  let riders: (() => void)[] = [];
  let scheduled: NodeJS.Immediate | undefined;
  let open = true;

  const begin = connection.prepare("BEGIN IMMEDIATE");
  const commit = connection.prepare("COMMIT");

  /** All of the group in one transaction: one flush to disk, however many writes. */
  const commitGroup = (group: readonly QueuedWrite[]): void => {
    const results: unknown[] = [];
    begin.run();
    for (const write of group) results.push(write.operation());
    for (const rider of riders) rider();
    commit.run();
    riders = [];
    group.forEach((write, index) => write.resolve(results[index] as never));
  };

  const flush = (): void => {
    scheduled = undefined;
    const group = queue;
    queue = [];
    try {
      commitGroup(group);
    } catch (error) {
      rollback(connection);
      if (group.length > 1) {
        // One write of the group failed: each by itself, so that the others do not suffer.
        for (const write of group) {
          queue = [write];
          flush();
        }
      } else {
        group[0]?.reject(storeError(error));
      }
    }
  };

  return {
    prepare(sql) {
      let statement = statements.get(sql);
      if (statement === undefined) {
        statement = connection.prepare(sql);
        statements.set(sql, statement);
      }
      return statement;
    },
    write(operation) {
      if (!open) return Promise.reject(new MillraceError("ERR_HOST_CLOSED", "The store is closed."));
      return new Promise((resolve, reject) => {
        queue.push({ operation, resolve, reject });
        scheduled ??= setImmediate(flush);
      });
    },
    piggyback(operation) {
      riders.push(operation);
    },
    async close() {
      if (!open) return;
      open = false;
      clearImmediate(scheduled);
      if (queue.length > 0 || riders.length > 0) flush();
      connection.close();
    },
  };
}

function connect({ file, maxBytes }: DatabaseOptions): DatabaseSync {
  let connection: DatabaseSync | undefined;
  try {
    connection = new DatabaseSync(file);
    // Exclusive: an embedded store belongs to one host; it also spares the shared-memory file.
    connection.exec("PRAGMA locking_mode = EXCLUSIVE");
    connection.exec("PRAGMA journal_mode = WAL");
    connection.exec("PRAGMA synchronous = FULL");
    connection.exec(`PRAGMA cache_size = -${cacheKib}`);
    connection.exec(`PRAGMA wal_autocheckpoint = ${checkpointPages}`);
    connection.exec("BEGIN EXCLUSIVE");
    migrate(connection);
    connection.exec("COMMIT");
    if (maxBytes !== undefined) connection.exec(`PRAGMA max_page_count = ${Math.ceil(maxBytes / pageBytes)}`);
    return connection;
  } catch (error) {
    connection?.close();
    if (resultCode(error) === sqliteBusy) {
      throw new MillraceError("ERR_STORE_LOCKED", `Another host has ${file} open.`, { cause: error });
    }
    throw storeError(error, `${file} can't be opened`);
  }
}

function migrate(connection: DatabaseSync): void {
  const row = connection.prepare("PRAGMA user_version").get() as { user_version: number };
  if (row.user_version > migrations.length) {
    throw new MillraceError(
      "ERR_STORE_NEWER",
      `The store has layout ${row.user_version}, and this version of Millrace knows layout ${migrations.length}.`,
    );
  }
  for (const migration of migrations.slice(row.user_version)) connection.exec(migration);
  connection.exec(`PRAGMA user_version = ${migrations.length}`);
}

function rollback(connection: DatabaseSync): void {
  try {
    connection.exec("ROLLBACK");
  } catch {
    // SQLite has already rolled back by itself, as it does when the disk is full.
  }
}

function resultCode(error: unknown): number | undefined {
  const code = (error as { errcode?: unknown } | undefined)?.errcode;
  return typeof code === "number" ? code & 0xff : undefined;
}

function storeError(error: unknown, what = "The embedded store failed"): unknown {
  if (error instanceof MillraceError) return error;
  const code = resultCode(error);
  if (code === undefined) return error;
  const message = error instanceof Error ? error.message : String(error);
  return code === sqliteFull
    ? new MillraceError("ERR_STORE_FULL", `The embedded store is full: ${message}.`, { cause: error })
    : new MillraceError("ERR_STORE_UNAVAILABLE", `${what}: ${message}.`, { cause: error });
}
