import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { printing, program } from "../components.ts";
import { createHarness } from "../harness.ts";
import { createEngine, skipped } from "./engine.ts";

const asleep = (milliseconds: number): Promise<Uint8Array> =>
  program(`(call $block (call $subscribe-duration (i64.const ${milliseconds}000000))) (i32.const 0)`);

/** Runs a script to its own end; what it printed. */
async function script(file: string, ...args: string[]): Promise<string> {
  const cacheDir = mkdtempSync(join(tmpdir(), "millrace-closing-"));
  try {
    const path = fileURLToPath(new URL(file, import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, [path, cacheDir, "wasmtime", ...args], {
      timeout: 30_000,
    });
    return stdout.trim();
  } finally {
    rmSync(cacheDir, { recursive: true, force: true });
  }
}

describe.skipIf(skipped)("the threads of Wasmtime", () => {
  test("are not held by an attempt that waits", async () => {
    const harness = createHarness(createEngine, 1);
    try {
      const controller = new AbortController();
      const bytes = await asleep(3_600_000);
      const sleepers = Array.from({ length: 500 }, () =>
        harness.run(bytes, { signal: controller.signal, limits: { wallMs: 3_600_000 } }),
      );
      expect(await harness.run(await printing("1"))).toMatchObject({ ok: true, output: 1 });
      controller.abort();
      for (const sleeper of await Promise.all(sleepers)) {
        expect(sleeper).toMatchObject({ failure: { code: "ERR_STEP_CANCELLED" } });
      }
    } finally {
      await harness.close();
    }
  });

  test("are shared with one that becomes ready, whatever else computes", async () => {
    const harness = createHarness(createEngine, 1);
    try {
      const endless = await program("(loop $forever (br $forever)) (i32.const 0)");
      await harness.prepare(endless);
      const sleeper = harness.run(await asleep(100));
      // The sleeper has begun once another attempt has run on the only thread.
      await harness.run(await printing("1"));
      const controller = new AbortController();
      const hog = harness.run(endless, { signal: controller.signal, limits: { wallMs: 60_000 } });
      expect(await sleeper).toMatchObject({ ok: true });
      controller.abort();
      expect(await hog).toMatchObject({ failure: { code: "ERR_STEP_CANCELLED" } });
    } finally {
      await harness.close();
    }
  });

  test("tell of what has ended in a crowd while another attempt computes, or all others sleep", async () => {
    const harness = createHarness(createEngine, 1);
    try {
      // Long enough for those before it to be heard of.
      const quick = await program(
        `(local.set $a (i32.const 200000))
         (loop $more (br_if $more (local.tee $a (i32.sub (local.get $a) (i32.const 1))))) (i32.const 0)`,
      );
      const others = [await program("(loop $forever (br $forever)) (i32.const 0)"), await asleep(3_600_000)];
      for (const other of [quick, ...others]) await harness.prepare(other);
      for (const other of others) {
        const controller = new AbortController();
        const run = (bytes: Uint8Array) =>
          harness.run(bytes, { signal: controller.signal, limits: { wallMs: 3_600_000 } });
        // More than are told of at once, and no multiple of that; those behind them make it a crowd.
        const first = Array.from({ length: 21 }, () => run(quick));
        const rest = Array.from({ length: 40 }, () => run(other));
        for (const result of await Promise.all(first)) expect(result).toMatchObject({ ok: true });
        controller.abort();
        for (const result of await Promise.all(rest)) {
          expect(result).toMatchObject({ failure: { code: "ERR_STEP_CANCELLED" } });
        }
      }
    } finally {
      await harness.close();
    }
  });

  test("leave the event loop alone while they compile and compute", async () => {
    const harness = createHarness(createEngine, 1);
    try {
      const endless = await program("(loop $forever (br $forever)) (i32.const 0)");
      const attempt = harness.run(endless, { limits: { wallMs: 300 } });
      let turns = 0;
      let running = true;
      const turn = (): void => {
        turns++;
        if (running) setImmediate(turn);
      };
      turn();
      expect(await attempt).toMatchObject({ failure: { code: "ERR_STEP_TIMEOUT" } });
      running = false;
      expect(turns).toBeGreaterThan(100);
    } finally {
      await harness.close();
    }
  });

  test("end when the driver closes, whatever ran", async () => {
    expect(JSON.parse(await script("../v8/closed.ts", "close"))).toEqual([
      1,
      "ERR_STEP_TIMEOUT",
      "ERR_STEP_CANCELLED",
    ]);
  });

  test("do not keep a process alive that has nothing to do", async () => {
    expect(JSON.parse(await script("../v8/closed.ts"))).toEqual([1, "ERR_STEP_TIMEOUT"]);
  });
});
