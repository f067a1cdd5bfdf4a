import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDatabase, type Database } from "../../host/sqlite/database.ts";

/** A database with something on it, and a way to end and begin it again. */
export interface EmbeddedFixture<T> {
  readonly current: () => T;
  reopen(): Promise<T>;
  dispose(): Promise<void>;
}

/** Puts `build(database)` on a fresh store, "memory:" or "sqlite:" in a temporary folder. */
export async function embedded<T>(
  store: "memory:" | "sqlite:",
  build: (database: Database) => T & { close?(): Promise<void> },
): Promise<EmbeddedFixture<T>> {
  const folder = await mkdtemp(join(tmpdir(), "millrace-store-"));
  const open = () => {
    const database = openDatabase({ file: store === "memory:" ? ":memory:" : join(folder, "store.db") });
    return { database, built: build(database) };
  };
  let { database, built } = open();
  const close = async (): Promise<void> => {
    await built.close?.();
    await database.close();
  };
  return {
    current: () => built,
    async reopen() {
      await close();
      ({ database, built } = open());
      return built;
    },
    async dispose() {
      await close();
      await rm(folder, { recursive: true });
    },
  };
}
