import { readdir, utimes } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type BuildCache, openBuildCache } from "../../../host/build/build-cache.ts";
import { projectFolder, type ProjectFixture } from "./project-fixture.ts";

let fixture: ProjectFixture;
let cache: BuildCache;

beforeEach(async () => {
  fixture = await projectFolder();
  cache = await openBuildCache(join(fixture.folder, "cache"));
});

afterEach(() => fixture.dispose());

const unchanged = { files: [], folders: [] };

test("a step is found for the builders that built it, and for no others", async () => {
  const put = await cache.put("key", Uint8Array.of(1, 2, 3));
  await cache.putStep("steps/one.ts", "builders 1", "key", unchanged);
  expect(await cache.findStep("steps/one.ts", "builders 1")).toEqual(put);
  expect(await cache.findStep("steps/one.ts", "builders 2")).toBeUndefined();
  expect(await cache.findStep("steps/two.ts", "builders 1")).toBeUndefined();
});

test("a step whose component is gone is not found", async () => {
  await cache.putStep("steps/one.ts", "builders", "key", unchanged);
  expect(await cache.findStep("steps/one.ts", "builders")).toBeUndefined();
});

test("of many components those that were used last are kept", async () => {
  for (let n = 0; n < 70; n++) {
    const { file } = await cache.put(`key-${n}`, Uint8Array.of(n));
    await utimes(file, 1_000 + n, 1_000);
  }
  // What is read is in use, however old it is.
  await cache.find("key-0");
  await cache.prune();
  const left = await readdir(join(fixture.folder, "cache/components"));
  expect(left.length).toBe(2 * 64);
  expect(await cache.find("key-0")).toBeDefined();
  expect(await cache.find("key-1")).toBeUndefined();
  expect(await cache.find("key-69")).toBeDefined();
});
