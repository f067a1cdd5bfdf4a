import { readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { HostCalls } from "../../../../runtime/wasm/calls.ts";
import { createCallsHarness } from "../calls-harness.ts";
import { embedded } from "../components.ts";
import { createEngine, skipped } from "./engine.ts";

/** Gets a key, and exits with 0. */
const getting = `(module
  (import "wasi:keyvalue/store@0.2.0-draft2" "open" (func $open (param i32 i32 i32)))
  (import "wasi:keyvalue/store@0.2.0-draft2" "[method]bucket.get" (func $get (param i32 i32 i32 i32)))
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
  (func (export "wasi:cli/run@0.2.9#run") (result i32)
    (call $open (i32.const 0) (i32.const 0) (i32.const 32))
    (call $get (i32.load (i32.const 36)) (i32.const 0) (i32.const 1) (i32.const 64))
    (i32.const 0)))`;

const threads = (): number => readdirSync("/proc/self/task").length;
const attempts = 10_000;

describe.skipIf(skipped)("attempts on Wasmtime that wait for the host", () => {
  test.skipIf(process.platform !== "linux")(
    "hold no thread, 10,000 of them at once",
    async () => {
      const bytes = await embedded(getting, "calls");
      const harness = createCallsHarness(createEngine, () => bytes, 2);
      try {
        const answers: (() => void)[] = [];
        const slow: HostCalls = () =>
          new Promise((resolve) =>
            answers.push(() => resolve({ head: { kind: "value", found: true }, bytes: Buffer.from("x") })),
          );
        const atOnce: HostCalls = () => Promise.resolve({ head: { kind: "value", found: false } });
        const limits = { wallMs: 600_000 };
        const exited = { kind: "exited", status: 0 };
        expect((await harness.run("", { calls: atOnce, limits })).ending).toMatchObject(exited);
        const before = threads();
        const waiting = Array.from({ length: attempts }, () => harness.run("", { calls: slow, limits }));
        await expect.poll(() => answers.length, { timeout: 60_000 }).toBe(attempts);
        // Node's own may come and go.
        expect(threads()).toBeLessThanOrEqual(before + 4);
        for (const answer of answers.splice(0, 1)) answer();
        // Another one runs in its place.
        expect((await harness.run("", { calls: atOnce, limits })).ending).toMatchObject(exited);
        for (const answer of answers) answer();
        for (const { ending } of await Promise.all(waiting)) expect(ending).toMatchObject(exited);
      } finally {
        await harness.close();
      }
    },
    120_000,
  );
});
