import { execFileSync } from "node:child_process";
import { afterEach, describe, expect, test } from "vitest";
import type { CompileLimits } from "../../../../runtime/wasm/wasmtime/compiler.ts";
import { printing, wat } from "../components.ts";
import { createHarness } from "../harness.ts";
import type { Harness } from "../harness.ts";
import { createEngine, skipped } from "./engine.ts";

const mebibyte = 1024 * 1024;
const roomy: CompileLimits = { cpuMs: 60_000, memoryBytes: 4096 * mebibyte };

/** Cranelift takes minutes for it. */
const loops = (): Promise<Uint8Array> => nested("loop", 50_000);
/** Cranelift takes hundreds of megabytes for it. */
const blocks = (): Promise<Uint8Array> => nested("block", 500_000);

function nested(what: string, depth: number): Promise<Uint8Array> {
  return wat(`(module (func (export "_start") ${`${what} `.repeat(depth)} ${"end ".repeat(depth)}))`);
}

/** The processes that compile for this one. */
function compilers(): readonly string[] {
  const all = execFileSync("ps", ["-A", "-o", "ppid=,pid=,args="], { encoding: "utf8" });
  const own = new RegExp(String.raw`^\s*${process.pid}\s+(\d+)\s.*compile-process`, "gm");
  return [...all.matchAll(own)].map(([, pid = ""]) => pid);
}

/** The processor time that a process has used, in whole seconds. */
function cpuSeconds(pid: string | undefined): number {
  const time = execFileSync("ps", ["-o", "time=", "-p", String(pid)], { encoding: "utf8" });
  return time
    .trim()
    .split(":")
    .reduce((sum, part) => sum * 60 + Math.floor(Number(part)), 0);
}

describe.skipIf(skipped)("compiling for Wasmtime", () => {
  const harnesses: Harness[] = [];
  afterEach(() => Promise.all(harnesses.splice(0).map((harness) => harness.close())));

  const start = (compile: CompileLimits = roomy): Harness => {
    const harness = createHarness((options) => createEngine({ ...options, compile }));
    harnesses.push(harness);
    return harness;
  };

  test.each([
    ["time", loops, { ...roomy, cpuMs: 2000 }, /more than 2 s of processor time/],
    ["memory", blocks, { ...roomy, memoryBytes: 200 * mebibyte }, /came to an end over it/],
  ])(
    "is given up for a binary that takes too much %s, and goes on with others",
    async (_, costly, limits, why) => {
      const harness = start(limits);
      const [refused, run] = await Promise.all([
        harness.prepare(await costly()),
        harness.run(await printing("1")),
      ]);
      expect(refused).toMatchObject({ code: "ERR_COMPONENT_INVALID", message: expect.stringMatching(why) });
      expect(run).toMatchObject({ ok: true, output: 1 });
      expect(await harness.run(await printing("2"))).toMatchObject({ ok: true, output: 2 });
    },
  );

  test("goes on in another process where one was ended, and leaves none behind", async () => {
    const harness = start();
    const compiling = harness.prepare(await loops());
    await expect.poll(compilers, { timeout: 20_000 }).toHaveLength(1);
    // More than its start takes.
    await expect.poll(() => cpuSeconds(compilers()[0]), { timeout: 50_000 }).toBeGreaterThan(1);
    process.kill(Number(compilers()[0]), "SIGSEGV");
    expect(await compiling).toMatchObject({ message: expect.stringContaining("(SIGSEGV)") });
    expect(await harness.run(await printing("3"))).toMatchObject({ ok: true, output: 3 });
    await harness.close();
    expect(compilers()).toEqual([]);
  });

  test("ends with the engine, whatever it was about", async () => {
    const harness = start();
    const compiling = [harness.prepare(await loops()), harness.prepare(await blocks())];
    await expect.poll(compilers, { timeout: 20_000 }).toHaveLength(1);
    await harness.close();
    for (const refused of await Promise.all(compiling)) {
      expect(refused).toMatchObject({ code: "ERR_STEP_CANCELLED" });
    }
    expect(compilers()).toEqual([]);
  });
});
