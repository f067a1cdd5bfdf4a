import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createWasmDriver } from "../../../runtime/wasm/wasm.ts";
import { component, copyStdin, digest, printing, program, wat } from "./components.ts";
import { createHarness, stepInput, testLimits } from "./harness.ts";
import type { CreateEngine, Harness } from "./harness.ts";
import { commandContract, programContract } from "./program-contract.ts";
import { typedContract } from "./typed-contract.ts";

/** What every engine must do with a step that behaves. */
export function engineContract(name: string, createEngine: CreateEngine): void {
  describe(`engine ${name}`, () => {
    let harness: Harness;
    beforeAll(() => {
      harness = createHarness(createEngine);
    });
    afterAll(() => harness.close());

    programContract(() => harness);
    commandContract(() => harness);
    typedContract(() => harness);
    attempts(() => harness, createEngine);
    artifacts(() => harness);
  });
}

function attempts(harness: () => Harness, createEngine: CreateEngine): void {
  /** Counts its own runs in a global and in memory, and prints the sum. */
  const counting = `
    (global.set $runs (i32.add (global.get $runs) (i32.const 1)))
    (i32.store (i32.const 8192) (i32.add (i32.load (i32.const 8192)) (i32.const 1)))
    (call $print-number (i32.add (global.get $runs) (i32.load (i32.const 8192))))
    (i32.const 0)`;

  describe("attempts", () => {
    test("share nothing with the ones before", async () => {
      const bytes = await program(counting, { declarations: "(global $runs (mut i32) (i32.const 0))" });
      for (let run = 0; run < 20; run++) expect(await harness().run(bytes)).toMatchObject({ output: 2 });
    });

    test("run in parallel, each with its own input", async () => {
      const bytes = await program(copyStdin);
      const inputs = Array.from({ length: 40 }, (_, index) => stepInput({ steps: { index } }));
      const results = await Promise.all(inputs.map((input) => harness().run(bytes, { input })));
      expect(results.map((result) => result.ok && result.output)).toEqual(inputs);
    });

    test("wait for their turn, and the wait is not their time", async () => {
      const single = createHarness(createEngine, 1);
      try {
        const bytes = await program(
          `(call $block (call $subscribe-duration (i64.const 150000000))) (i32.const 0)`,
        );
        expect(await single.prepare(bytes)).toBeUndefined();
        const results = await Promise.all(
          [1, 2, 3, 4].map(() => single.run(bytes, { limits: { wallMs: 450 } })),
        );
        expect(results.map(({ ok }) => ok)).toEqual([true, true, true, true]);
      } finally {
        await single.close();
      }
    });

    test("are cancelled while they run", async () => {
      const bytes = await program("(loop $forever (br $forever)) (i32.const 0)");
      await harness().prepare(bytes);
      const controller = new AbortController();
      const attempt = harness().run(bytes, { signal: controller.signal });
      setTimeout(() => controller.abort(), 50);
      expect(await attempt).toMatchObject({ failure: { code: "ERR_STEP_CANCELLED", retry: true } });
      expect(await harness().run(await printing("1"))).toMatchObject({ ok: true, output: 1 });
    });

    test("are cancelled before they begin", async () => {
      const signal = AbortSignal.abort();
      expect(await harness().run(await printing("1"), { signal })).toMatchObject({
        failure: { code: "ERR_STEP_CANCELLED" },
      });
    });

    test("are cancelled while their binary is got and compiled, which others go on to wait for", async () => {
      const bytes = await printing("23");
      const { promise: given, resolve: give } = Promise.withResolvers<Uint8Array>();
      const cacheDir = mkdtempSync(join(tmpdir(), "millrace-cancelled-"));
      const engine = createEngine({ cacheDir, parallelism: 1 });
      let asked = 0;
      // Looked at first, then asked for once more to be compiled, which takes as long as this wants.
      const artifacts = (): Promise<Uint8Array> => (asked++ === 0 ? Promise.resolve(bytes) : given);
      const driver = createWasmDriver({ engine, cacheDir, artifacts });
      try {
        const program = { runtime: { type: "wasm" }, sha256: digest(bytes) } as const;
        const attempt = { program, input: stepInput(), limits: testLimits };
        const controller = new AbortController();
        const cancelled = driver.execute({ ...attempt, signal: controller.signal });
        const other = driver.execute({ ...attempt, signal: new AbortController().signal });
        await expect.poll(() => asked).toBe(2);
        controller.abort();
        expect(await cancelled).toMatchObject({ failure: { code: "ERR_STEP_CANCELLED", retry: true } });
        give(bytes);
        expect(await other).toMatchObject({ ok: true, output: 23 });
      } finally {
        give(bytes);
        await driver.close();
        rmSync(cacheDir, { recursive: true, force: true });
      }
    });

    test("are cancelled while they wait", async () => {
      const single = createHarness(createEngine, 1);
      try {
        const endless = await program("(loop $forever (br $forever)) (i32.const 0)");
        await single.prepare(endless);
        const first = new AbortController();
        const running = single.run(endless, { signal: first.signal });
        const second = new AbortController();
        const waiting = single.run(endless, { signal: second.signal });
        second.abort();
        expect(await waiting).toMatchObject({ failure: { code: "ERR_STEP_CANCELLED" } });
        first.abort();
        expect(await running).toMatchObject({ failure: { code: "ERR_STEP_CANCELLED" } });
      } finally {
        await single.close();
      }
    });

    test("are ended when the driver closes, and later ones too", async () => {
      const closing = createHarness(createEngine, 1);
      const bytes = await program("(loop $forever (br $forever)) (i32.const 0)");
      await closing.prepare(bytes);
      const attempts = [closing.run(bytes), closing.run(bytes)];
      setTimeout(() => void closing.close(), 100);
      for (const attempt of attempts) {
        expect(await attempt).toMatchObject({ failure: { code: "ERR_STEP_CANCELLED" } });
      }
      expect(await closing.run(bytes)).toMatchObject({ failure: { code: "ERR_STEP_CANCELLED" } });
      await closing.close();
    });
  });
}

function artifacts(harness: () => Harness): void {
  const invalid: readonly (readonly [string, Uint8Array | Promise<Uint8Array>, string, RegExp])[] = [
    ["is empty", new Uint8Array(), "ERR_COMPONENT_INVALID", /empty/],
    [
      "is a text file",
      Buffer.from("export default 1;\n"),
      "ERR_COMPONENT_INVALID",
      /text file.*export default 1/,
    ],
    ["is WebAssembly text", Buffer.from("(module)"), "ERR_COMPONENT_INVALID", /WebAssembly text/],
    ["is a native program", Buffer.from("7f454c46020101", "hex"), "ERR_COMPONENT_INVALID", /ELF/],
    ["is cut off in its first bytes", Buffer.from("0061736d0d", "hex"), "ERR_COMPONENT_INVALID", /cut off/],
    [
      "is cut off",
      program("(i32.const 0)").then((it) => it.subarray(0, 500)),
      "ERR_COMPONENT_INVALID",
      /cut off/,
    ],
    ["is of an unknown version", Buffer.from("0061736d02000000", "hex"), "ERR_COMPONENT_INVALID", /version/],
    ["exports nothing", Buffer.from("0061736d0d000100", "hex"), "ERR_COMPONENT_EXPORT", /exports nothing/],
    [
      "is a core module without _start",
      Buffer.from("0061736d01000000", "hex"),
      "ERR_COMPONENT_EXPORT",
      /_start/,
    ],
  ];

  describe("an artifact", () => {
    test.each(invalid)("that %s is refused", async (_, artifact, code, message) => {
      const bytes = await artifact;
      expect(await harness().prepare(bytes)).toMatchObject({
        code,
        retry: false,
        message: expect.stringMatching(message),
      });
      expect(await harness().run(bytes)).toMatchObject({ ok: false, failure: { code } });
    });

    test("with a broken middle is refused", async () => {
      const bytes = Uint8Array.from(await program("(i32.const 0)"));
      bytes.fill(0xff, 200, 260);
      expect(await harness().prepare(bytes)).toMatchObject({ code: "ERR_COMPONENT_INVALID" });
    });

    test("that imports what was not granted is refused by name", async () => {
      const names = ["wasi:http/outgoing-handler@0.2.9", "wasi:cli/environment@0.3.0", "acme:db/sql@1.0.0"];
      for (const name of names) {
        const bytes = await component(`(import "${name}" (instance (export "x" (func))))`);
        const failure = {
          code: "ERR_COMPONENT_IMPORT",
          retry: false,
          message: expect.stringContaining(name),
        };
        expect(await harness().prepare(bytes)).toMatchObject(failure);
        expect(await harness().run(bytes)).toMatchObject({ ok: false, failure });
      }
      const module = await wat('(module (import "env" "f" (func)) (func (export "_start")))');
      expect(await harness().prepare(module)).toMatchObject({ code: "ERR_COMPONENT_IMPORT" });
    });

    test("whose export has another type than the world's is refused", async () => {
      const run = (name: string): Promise<Uint8Array> =>
        wat(`(component
          (core module $m (func (export "run") (param i32) (result i32) (local.get 0)))
          (core instance $i (instantiate $m))
          (func $run (param "x" u32) (result u32) (canon lift (core func $i "run")))
          (instance $r (export "run" (func $run)))
          (export "${name}" (instance $r)))`);
      for (const name of ["wasi:cli/run@0.2.0", "millrace:step/handler@0.1.0"]) {
        expect(await harness().prepare(await run(name))).toMatchObject({
          code: "ERR_COMPONENT_EXPORT",
          message: expect.stringContaining("(u32) -> u32"),
        });
      }
    });

    test("that imports a function of the host with another type is refused", async () => {
      const bytes = await component(
        '(import "wasi:cli/exit@0.2.0" (instance (export "exit" (func (param "status" string)))))',
      );
      expect(await harness().prepare(bytes)).toMatchObject({
        code: "ERR_COMPONENT_IMPORT",
        message: expect.stringContaining("wasi:cli/exit@0.2.0"),
      });
    });

    test("may import types that only stand for others", async () => {
      const bytes = await component('(type $t string) (import "alias" (type (eq $t)))');
      expect(await harness().run(bytes)).toMatchObject({ ok: true, output: null });
    });

    test("that is not in the store can come later", async () => {
      const bytes = await printing("7");
      const program = { runtime: { type: "wasm" as const }, sha256: "0".repeat(64) };
      const limits = testLimits;
      expect(await harness().driver.prepare(program, limits)).toMatchObject({ code: "ERR_ARTIFACT_MISSING" });
      expect(await harness().driver.execute({ program, input: stepInput(), limits })).toMatchObject({
        failure: { code: "ERR_ARTIFACT_MISSING", retry: true },
      });
      expect(await harness().run(bytes)).toMatchObject({ output: 7 });
    });
  });
}
