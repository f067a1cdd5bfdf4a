import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Driver } from "../../../../runtime/driver.ts";
import { createWasmDriver } from "../../../../runtime/wasm/wasm.ts";
import { command, digest, printing } from "../components.ts";
import { stepInput, testLimits } from "../harness.ts";
import { createEngine, skipped } from "./engine.ts";

describe.skipIf(skipped)("compiled code on disk", () => {
  let cacheDir: string;
  const drivers: Driver[] = [];
  beforeEach(() => {
    cacheDir = mkdtempSync(join(tmpdir(), "millrace-compiled-"));
  });
  afterEach(async () => {
    await Promise.all(drivers.splice(0).map((driver) => driver.close()));
    rmSync(cacheDir, { recursive: true, force: true });
  });

  /** A new driver on the folder, as after a restart, and how often it asked the store for the bytes. */
  const start = (bytes: Uint8Array, more: { readonly fuel?: number; readonly diskBytes?: number } = {}) => {
    const asked = { count: 0 };
    const driver = createWasmDriver({
      engine: createEngine({ cacheDir, parallelism: 1, ...more }),
      cacheDir,
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

  const folder = (): string => join(cacheDir, "wasmtime");
  const files = (pattern: RegExp): readonly string[] =>
    readdirSync(folder()).filter((name) => pattern.test(name));
  const entries = (): readonly string[] => files(/^(?!functions-)/);

  test("is one file, named by the binary's digest and the engine's version", async () => {
    const bytes = await printing("1");
    await start(bytes).prepare();
    expect(entries()).toEqual([expect.stringMatching(new RegExp(`^${digest(bytes)}-[0-9a-f]{16}\\.bin$`))]);
  });

  test.each([
    ["a component", printing("1"), 1],
    ["a command", command(""), null],
  ])("of %s is used after a restart", async (_, artifact, output) => {
    const bytes = await artifact;
    await start(bytes).prepare();
    const again = start(bytes);
    expect(await again.run()).toMatchObject({ ok: true, output });
    // Once to look at it; to compile it would have asked twice.
    expect(again.asked.count).toBe(1);
  });

  test.each([
    ["cut off", (file: Buffer) => file.subarray(0, file.length - 100)],
    ["emptied", () => Buffer.alloc(0)],
    [
      "changed in one bit",
      (file: Buffer) => (file.writeUInt8(file.readUInt8(file.length - 1) ^ 1, file.length - 1), file),
    ],
    ["something else", () => Buffer.from("not compiled code at all, but long enough to look like a digest")],
  ])("that is %s is not used, and made again", async (_, damage) => {
    const bytes = await printing("1");
    await start(bytes).prepare();
    const path = join(cacheDir, "wasmtime", entries()[0] ?? "");
    const good = readFileSync(path);
    writeFileSync(path, damage(Buffer.from(good)));
    const again = start(bytes);
    expect(await again.run()).toMatchObject({ ok: true, output: 1 });
    expect(again.asked.count).toBe(2);
    expect(readFileSync(path).length).toBe(good.length);
    expect(entries()).toHaveLength(1);
  });

  test("of another component is not used under this one's name", async () => {
    const [one, two] = [await printing("1"), await printing("2")];
    await start(one).prepare();
    await start(two).prepare();
    const file = (bytes: Uint8Array): string =>
      join(folder(), entries().find((name) => name.startsWith(digest(bytes))) ?? "");
    writeFileSync(file(one), readFileSync(file(two)));
    const again = start(one);
    expect(await again.run()).toMatchObject({ ok: true, output: 1 });
    expect(again.asked.count).toBe(2);
    const whole = start(one);
    expect(await whole.run()).toMatchObject({ ok: true, output: 1 });
    expect(whole.asked.count).toBe(1);
  });

  test("of another version is not used, under its own name or under this one's", async () => {
    const bytes = await printing("1");
    // Code that counts fuel is other code: another version of the engine, as far as files go.
    await start(bytes, { fuel: 1_000_000 }).prepare();
    const [other = ""] = entries();
    const here = start(bytes);
    expect(await here.run()).toMatchObject({ ok: true, output: 1 });
    expect(here.asked.count).toBe(2);
    const [own = ""] = entries().filter((name) => name !== other);
    writeFileSync(join(folder(), own), readFileSync(join(folder(), other)));
    const again = start(bytes);
    expect(await again.run()).toMatchObject({ ok: true, output: 1 });
    expect(again.asked.count).toBe(2);
  });

  test("is kept up to a size, and what was used longest ago goes", async () => {
    const [one, two] = [await printing("1"), await printing("2")];
    await start(one, { diskBytes: 1 }).prepare();
    expect(readdirSync(folder())).toEqual([]);
    expect(await start(two, { diskBytes: 10_000_000 }).run()).toMatchObject({ ok: true, output: 2 });
    expect(entries()).toEqual([expect.stringContaining(digest(two))]);
  });

  test("is done without where it can't be written", async () => {
    writeFileSync(join(cacheDir, "wasmtime"), "a file in the folder's place");
    expect(await start(await printing("1")).run()).toMatchObject({ ok: true, output: 1 });
  });

  test.each([
    ["whole", (file: Buffer) => file],
    ["cut off", (file: Buffer) => file.subarray(0, file.length - 10)],
    ["something else", () => Buffer.alloc(1000, 1)],
  ])("of single functions helps another component, whether its file is %s or not", async (_, damage) => {
    await start(await printing("1")).prepare();
    await Promise.all(drivers.splice(0).map((driver) => driver.close()));
    const [functions = "", ...more] = files(/^functions-/);
    expect(more).toEqual([]);
    const path = join(folder(), functions);
    writeFileSync(path, damage(readFileSync(path)));
    expect(await start(await printing("2")).run()).toMatchObject({ ok: true, output: 2 });
  });

  test("is not kept of what can't run", async () => {
    const bytes = Uint8Array.from(await printing("1"));
    bytes.fill(0xff, 200, 260);
    expect(await start(bytes).prepare()).toMatchObject({ code: "ERR_COMPONENT_INVALID" });
    expect(existsSync(folder()) ? entries() : []).toEqual([]);
  });
});
