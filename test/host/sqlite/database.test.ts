import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openDatabase, type Database } from "../../../host/sqlite/database.ts";
import { storeLocation } from "../../../host/sqlite/location.ts";

let folder: string;
let file: string;
let database: Database;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "millrace-database-"));
  file = join(folder, "store.db");
  database = openDatabase({ file });
});
afterEach(async () => {
  await database.close();
  await rm(folder, { recursive: true });
});

function wake(runId: string): number {
  return Number(database.prepare("INSERT INTO wakes (run_id) VALUES (?)").run(runId).lastInsertRowid);
}

function wakes(): unknown[] {
  return database
    .prepare("SELECT run_id FROM wakes ORDER BY seq")
    .all()
    .map((row) => row["run_id"]);
}

describe("a group of writes", () => {
  test("gives each its own result, in order", async () => {
    expect(await Promise.all(["a", "b", "c"].map((id) => database.write(() => wake(id))))).toEqual([1, 2, 3]);
  });

  test("in which one throws rejects that one alone, and keeps the others", async () => {
    const results = await Promise.allSettled([
      database.write(() => wake("a")),
      database.write(() => {
        wake("half");
        throw new Error("mine");
      }),
      database.write(() => database.prepare("INSERT INTO wakes (run_id) VALUES (NULL)").run()),
      database.write(() => wake("b")),
    ]);
    expect(results.map((result) => result.status)).toEqual([
      "fulfilled",
      "rejected",
      "rejected",
      "fulfilled",
    ]);
    expect(results[1]).toMatchObject({ reason: { message: "mine" } });
    expect(results[2]).toMatchObject({ reason: { code: "ERR_STORE_UNAVAILABLE" } });
    expect(wakes()).toEqual(["a", "b"]);
  });

  test("that waits is committed before the file is closed, and nothing is taken after that", async () => {
    const written = database.write(() => wake("last"));
    database.piggyback(() => void wake("along"));
    await database.close();
    await written;
    await expect(database.write(() => wake("late"))).rejects.toMatchObject({ code: "ERR_HOST_CLOSED" });
    database = openDatabase({ file });
    expect(wakes()).toEqual(["last", "along"]);
  });

  test("takes along what rides with it, and that alone does not make one", async () => {
    database.piggyback(() => void wake("rider"));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(wakes()).toEqual([]);
    await database.write(() => wake("write"));
    expect(wakes()).toEqual(["write", "rider"]);
    await database.write(() => wake("next"));
    expect(wakes()).toEqual(["write", "rider", "next"]);
  });
});

describe("a store's file", () => {
  test("of a newer layout is refused, and left as it is", async () => {
    await database.close();
    const raw = new DatabaseSync(file);
    raw.exec("PRAGMA user_version = 99");
    raw.close();
    expect(() => openDatabase({ file })).toThrow(expect.objectContaining({ code: "ERR_STORE_NEWER" }));
    const after = new DatabaseSync(file);
    expect(after.prepare("PRAGMA user_version").get()).toEqual({ user_version: 99 });
    after.close();
  });

  test("that is no database is refused with a code", () => {
    expect(() => openDatabase({ file: folder })).toThrow(
      expect.objectContaining({ code: "ERR_STORE_UNAVAILABLE" }),
    );
  });
});

describe("a store's URL", () => {
  test("names a file, makes its folder, and may bound its size", () => {
    expect(storeLocation("memory:")).toEqual({ file: ":memory:" });
    const path = join(folder, "deep", "er", "x.db");
    expect(storeLocation(`sqlite:${path}`)).toEqual({ file: path });
    expect(storeLocation(`sqlite:${path}?maxSize=5000`)).toEqual({ file: path, maxBytes: 5000 });
    openDatabase({ file: path });
  });

  test.each(["", "sqlite:", "postgres://x", "sqlite:x?maxSize=lots", "/tmp/x.db"])("%j is refused", (url) => {
    expect(() => storeLocation(url)).toThrow(expect.objectContaining({ code: "ERR_STORE_URL" }));
  });
});
