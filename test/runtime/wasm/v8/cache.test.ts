import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Driver } from "../../../../runtime/driver.ts";
import { createV8Engine } from "../../../../runtime/wasm/v8/engine.ts";
import { createWasmDriver } from "../../../../runtime/wasm/wasm.ts";
import { digest, printing, program } from "../components.ts";
import { stepInput, testLimits } from "../harness.ts";

describe("the cache of what was translated", () => {
  let cacheDir: string;
  const drivers: Driver[] = [];
  beforeEach(() => {
    cacheDir = mkdtempSync(join(tmpdir(), "millrace-cache-"));
  });
  afterEach(async () => {
    await Promise.all(drivers.splice(0).map((driver) => driver.close()));
    rmSync(cacheDir, { recursive: true, force: true });
  });

  /** A new driver on the cache, as after a restart, and how often it asked the store for the bytes. */
  const start = (bytes: Uint8Array, diskBytes?: number) => {
    const asked = { count: 0 };
    const driver = createWasmDriver({
      engine: createV8Engine({ cacheDir, parallelism: 1, ...(diskBytes !== undefined && { diskBytes }) }),
      cacheDir,
      parallelism: 1,
      artifacts() {
        asked.count++;
        return Promise.resolve(bytes);
      },
    });
    drivers.push(driver);
    const step = { runtime: { type: "wasm" as const }, sha256: digest(bytes) };
    return {
      asked,
      prepare: () => driver.prepare(step, testLimits),
      run: () => driver.execute({ program: step, input: stepInput(), limits: testLimits }),
    };
  };

  const entries = (): readonly string[] => readdirSync(join(cacheDir, "v8"));

  test("keeps one file for a component, and nothing half-written", async () => {
    const bytes = await printing("1");
    await start(bytes).prepare();
    expect(entries()).toEqual([expect.stringMatching(new RegExp(`^${digest(bytes)}-\\d+\\.bin$`))]);
  });

  test("is read after a restart", async () => {
    const bytes = await printing("1");
    await start(bytes).prepare();
    const again = start(bytes);
    expect(await again.run()).toMatchObject({ ok: true, output: 1 });
    // Once to look at it; a translation would have asked twice.
    expect(again.asked.count).toBe(1);
  });

  test.each([
    ["cut off", (file: Buffer) => file.subarray(0, file.length - 100)],
    ["emptied", () => Buffer.alloc(0)],
    [
      "changed in one bit",
      (file: Buffer) => (file.writeUInt8(file.readUInt8(file.length - 1) ^ 1, file.length - 1), file),
    ],
    ["something else", () => Buffer.from("not a translation at all, but long enough to look like one")],
  ])("makes an entry again that is %s", async (_, damage) => {
    const bytes = await printing("1");
    await start(bytes).prepare();
    const path = join(cacheDir, "v8", entries()[0] ?? "");
    const good = readFileSync(path);
    writeFileSync(path, damage(Buffer.from(good)));
    const again = start(bytes);
    expect(await again.run()).toMatchObject({ ok: true, output: 1 });
    expect(again.asked.count).toBe(2);
    expect(readFileSync(path).equals(good)).toBe(true);
    expect(entries()).toHaveLength(1);
  });

  test("does not take another component's entry for this one's", async () => {
    const [one, two] = [await printing("1"), await printing("2")];
    await start(one).prepare();
    await start(two).prepare();
    const file = (bytes: Uint8Array): string =>
      join(cacheDir, "v8", entries().find((name) => name.startsWith(digest(bytes))) ?? "");
    writeFileSync(file(one), readFileSync(file(two)));
    const again = start(one);
    expect(await again.run()).toMatchObject({ ok: true, output: 1 });
    expect(again.asked.count).toBe(2);
  });

  test("is kept up to a size", async () => {
    const [one, two] = [await printing("1"), await printing("2")];
    await start(one, 1).prepare();
    expect(entries()).toEqual([]);
    expect(await start(two, 1_000_000).run()).toMatchObject({ ok: true, output: 2 });
    expect(entries()).toEqual([expect.stringContaining(digest(two))]);
  });

  test("is done without where it can't be written", async () => {
    // A file where the folder should be.
    writeFileSync(join(cacheDir, "v8"), "");
    expect(await start(await printing("1")).run()).toMatchObject({ ok: true, output: 1 });
  });

  test("is asked once for all who want the same component", async () => {
    const bytes = await printing("1");
    const driver = start(bytes);
    const [failure, ...results] = await Promise.all([
      driver.prepare(),
      driver.run(),
      driver.run(),
      driver.run(),
    ]);
    expect(failure).toBeUndefined();
    expect(results.map((result) => result.ok && result.output)).toEqual([1, 1, 1]);
    expect(driver.asked.count).toBe(2);
  });

  test("keeps nothing of a component that can't run", async () => {
    const bytes = Uint8Array.from(await program("(i32.const 0)"));
    bytes.fill(0xff, 200, 260);
    expect(await start(bytes).prepare()).toMatchObject({ code: "ERR_COMPONENT_INVALID" });
    expect(() => entries()).toThrow("ENOENT");
  });
});
