import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createCompiledFiles } from "../../../runtime/wasm/compiled-files.ts";

describe("files of what was compiled", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "millrace-files-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** Each of 100 bytes; the first was used longest ago. */
  const write = (...names: readonly string[]): void => {
    for (const [age, name] of names.entries()) {
      writeFileSync(join(folder, name), "x".repeat(100));
      utimesSync(join(folder, name), 1_000 + age, 1_000 + age);
    }
  };

  test("are kept as long as they fit", async () => {
    write("a", "b", "c");
    await createCompiledFiles(folder, 300).added();
    expect(readdirSync(folder)).toEqual(["a", "b", "c"]);
  });

  test("go when they were used longest ago, be they of whatever version", async () => {
    write("b", "a", "d", "c");
    await createCompiledFiles(folder, 250).added();
    expect(readdirSync(folder)).toEqual(["c", "d"]);
  });

  test("stay when they were used since", async () => {
    write("a", "b", "c");
    const files = createCompiledFiles(folder, 200);
    await files.used(join(folder, "a"));
    await files.added();
    expect(readdirSync(folder)).toEqual(["a", "c"]);
  });

  test("may be gone, with their folder", async () => {
    const files = createCompiledFiles(join(folder, "none"), 200);
    await files.used(join(folder, "none/a"));
    await files.added();
    expect(readdirSync(folder)).toEqual([]);
  });
});
