import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { command, component, program, typed, wat } from "./components.ts";
import { createHarness, stepInput } from "./harness.ts";
import type { CreateEngine, Harness } from "./harness.ts";

/** What every engine must do with a step that behaves. */
export function engineContract(name: string, createEngine: CreateEngine): void {
  describe(`engine ${name}`, () => {
    let harness: Harness;
    beforeAll(() => {
      harness = createHarness(createEngine);
    });
    afterAll(() => harness.close());

    programs(() => harness);
    commands(() => harness);
    typedSteps(() => harness);
    attempts(() => harness, createEngine);
    artifacts(() => harness);
  });
}

/** WAT for a piece of data at 4096. */
export const text = (content: string): string =>
  `(data (i32.const 4096) "${content.replaceAll('"', '\\"')}")`;

/** A program that prints and is done. */
export const printing = (content: string): Promise<Uint8Array> =>
  program(`(call $print (i32.const 4096) (i32.const ${Buffer.byteLength(content)})) (i32.const 0)`, {
    declarations: text(content),
  });

/** Copies stdin to stdout. */
const copyStdin = `
  (local.set $a (call $get-stdin))
  (loop $more
    (call $read (local.get $a) (i64.const 4096) (i32.const 32))
    (if (i32.eqz (i32.load8_u (i32.const 32)))
      (then
        (call $print (i32.load (i32.const 36)) (i32.load (i32.const 40)))
        (br $more))))
  (i32.const 0)`;

/** Prints the argument at an index. */
const printArgument = (index: number): string => `
  (call $get-arguments (i32.const 32))
  (local.set $a (i32.add (i32.load (i32.const 32)) (i32.const ${8 * index})))
  (call $print (i32.load (local.get $a)) (i32.load offset=4 (local.get $a)))
  (i32.const 0)`;

function programs(harness: () => Harness): void {
  describe("a program", () => {
    test("gets the input as JSON on stdin", async () => {
      const input = stepInput({ steps: { before: [1, null, { deep: true }] } });
      expect(await harness().run(await program(copyStdin), { input })).toEqual({
        ok: true,
        output: input,
        logs: [],
      });
    });

    test("gets the input as JSON in its first argument", async () => {
      const input = stepInput();
      expect(await harness().run(await program(printArgument(1)), { input })).toMatchObject({
        output: input,
      });
    });

    test("is named by its step", async () => {
      expect(await harness().run(await program(printArgument(0)))).toMatchObject({
        ok: true,
        output: "greet",
      });
    });

    test("has Unicode kept in both directions", async () => {
      const data = { text: "Grüße, 世界 👋 \u0000 \u2028 \ud83d" };
      const input = stepInput({ event: { ...stepInput().event, data } });
      const result = await harness().run(await program(copyStdin), { input });
      expect(result).toMatchObject({ ok: true, output: { event: { data } } });
    });

    test("gets and puts out a megabyte", async () => {
      const input = stepInput({ event: { ...stepInput().event, data: "x".repeat(1024 * 1024) } });
      expect(await harness().run(await program(copyStdin), { input })).toMatchObject({
        ok: true,
        output: input,
      });
      expect(await harness().run(await program(printArgument(1)), { input })).toMatchObject({
        ok: true,
        output: input,
      });
    });

    test.each([
      ["nothing printed is null", "", null],
      ["a JSON value is itself", '{"a":[1,2]}', { a: [1, 2] }],
      ["JSON may have white space around it", " 42\\n", 42],
      ["text that is not JSON is a string", "hello", "hello"],
      ["of text, one line break at the end goes", "two\\nlines\\n\\n", "two\nlines\n"],
      ["a line break of Windows too", "hello\\r\\n", "hello"],
      ["a line break alone is an empty string", "\\n", ""],
      ["text that only begins like JSON is a string", "{not json", "{not json"],
    ])("%s", async (_, printed, output) => {
      const length = printed.replaceAll(/\\[nr]/g, "x").length;
      const bytes = await program(`(call $print (i32.const 4096) (i32.const ${length})) (i32.const 0)`, {
        declarations: text(printed),
      });
      expect(await harness().run(bytes)).toEqual({ ok: true, output, logs: [] });
    });

    test.each([
      [0, { ok: true, output: null }],
      [1, { ok: false, failure: { code: "ERR_STEP_FAILED", retry: true } }],
      [3, { ok: false, failure: { code: "ERR_STEP_FAILED", message: expect.stringContaining("code 3") } }],
      [65, { ok: false, failure: { code: "ERR_STEP_FATAL", retry: false } }],
      [255, { ok: false, failure: { code: "ERR_STEP_FAILED", retry: true } }],
    ])("that exits with code %i", async (code, expected) => {
      const bytes = await program(`(call $exit-with-code (i32.const ${code})) (unreachable)`);
      expect(await harness().run(bytes)).toMatchObject(expected);
    });

    test.each([
      ["fails when run returns an error", "(i32.const 1)", "ERR_STEP_FAILED"],
      ["fails when it exits with an error", "(call $exit (i32.const 1)) (unreachable)", "ERR_STEP_FAILED"],
      ["is done when it exits well", "(call $exit (i32.const 0)) (unreachable)", undefined],
      ["is done when run returns", "(i32.const 0)", undefined],
    ])("%s", async (_, body, code) => {
      const result = await harness().run(await program(body));
      expect(result.ok ? undefined : result.failure.code).toBe(code);
    });

    test("keeps what it printed before it exited", async () => {
      const body =
        "(call $print (i32.const 4096) (i32.const 4)) (call $exit-with-code (i32.const 0)) (unreachable)";
      const bytes = await program(body, { declarations: text("true") });
      expect(await harness().run(bytes)).toMatchObject({ ok: true, output: true });
    });

    test("has stderr as log, line by line, and its last line in the message of a failure", async () => {
      const body = `
        (call $log (i32.const 4096) (i32.const 3))
        (call $log (i32.const 4099) (i32.const 16))
        (call $exit-with-code (i32.const 2)) (unreachable)`;
      const bytes = await program(body, { declarations: text("first line\\nsecond\\n\\n") });
      expect(await harness().run(bytes)).toEqual({
        ok: false,
        failure: { code: "ERR_STEP_FAILED", message: "The step exited with code 2: second", retry: true },
        logs: ["first line", "second", ""].map((message) => ({ level: "info", message })),
      });
    });

    test("has no environment, no folder and no socket", async () => {
      const body = `
        (call $get-environment (i32.const 32))
        (local.set $a (i32.load (i32.const 36)))
        (call $get-directories (i32.const 32))
        (local.set $a (i32.add (local.get $a) (i32.load (i32.const 36))))
        (call $create-tcp-socket (i32.const 0) (i32.const 32))
        ;; 1 for the error case, and 1 for access-denied
        (local.set $a (i32.add (local.get $a) (i32.add (i32.load8_u (i32.const 32)) (i32.load8_u (i32.const 36)))))
        (call $print-number (local.get $a))
        (i32.const 0)`;
      expect(await harness().run(await program(body))).toMatchObject({ ok: true, output: 2 });
    });

    test("can sleep, and its clocks go on", async () => {
      const body = `
        (local.set $c (call $now))
        (call $block (call $subscribe-duration (i64.const 20000000)))
        (call $wall-clock (i32.const 32))
        (call $print-number (i32.and
          (i64.ge_u (i64.sub (call $now) (local.get $c)) (i64.const 20000000))
          (i64.gt_u (i64.load (i32.const 32)) (i64.const 1700000000))))
        (i32.const 0)`;
      expect(await harness().run(await program(body))).toMatchObject({ ok: true, output: 1 });
    });

    test("gets different random numbers", async () => {
      const body = `(call $print-number (i64.ne (call $random) (call $random))) (i32.const 0)`;
      expect(await harness().run(await program(body))).toMatchObject({ ok: true, output: 1 });
    });
  });
}

function commands(harness: () => Harness): void {
  describe("a core module for WASI preview 1", () => {
    test("gets the input as its argument and on stdin", async () => {
      const printBoth = `
        (drop (call $args-sizes-get (i32.const 16) (i32.const 20)))
        (drop (call $args-get (i32.const 128) (i32.const 512)))
        ;; the second argument, without its zero byte
        (call $put (i32.const 1) (i32.load (i32.const 132))
          (i32.sub (i32.sub (i32.load (i32.const 20)) (i32.const 1))
            (i32.sub (i32.load (i32.const 132)) (i32.load (i32.const 128)))))`;
      const input = stepInput();
      expect(await harness().run(await command(printBoth), { input })).toMatchObject({
        ok: true,
        output: input,
      });
      const copy = `
        (i32.store (i32.const 16) (i32.const 4096))
        (i32.store (i32.const 20) (i32.const 100))
        (loop $more
          (drop (call $fd-read (i32.const 0) (i32.const 16) (i32.const 1) (i32.const 24)))
          (local.set $a (i32.load (i32.const 24)))
          (call $put (i32.const 1) (i32.const 4096) (local.get $a))
          (br_if $more (local.get $a)))`;
      expect(await harness().run(await command(copy), { input })).toMatchObject({ ok: true, output: input });
    });

    test.each([
      [0, undefined],
      [65, "ERR_STEP_FATAL"],
      [7, "ERR_STEP_FAILED"],
      [300, "ERR_STEP_FAILED"],
    ])("that exits with code %i", async (status, code) => {
      const body = `(call $put (i32.const 2) (i32.const 4096) (i32.const 4)) (call $proc-exit (i32.const ${status}))`;
      const result = await harness().run(await command(body, { declarations: text("why\\n") }));
      expect(result.logs).toEqual([{ level: "info", message: "why" }]);
      expect(result.ok ? undefined : result.failure.code).toBe(code);
    });

    test("has no environment, no folder and no file", async () => {
      const body = `
        (drop (call $environ-sizes-get (i32.const 16) (i32.const 20)))
        (if (i32.load (i32.const 16)) (then (unreachable)))
        ;; 8: bad file descriptor
        (if (i32.ne (call $fd-prestat-get (i32.const 3) (i32.const 16)) (i32.const 8)) (then (unreachable)))
        (if (i32.ne (call $path-open (i32.const 3) (i32.const 0) (i32.const 4096) (i32.const 1) (i32.const 0)
          (i64.const 0) (i64.const 0) (i32.const 0) (i32.const 16)) (i32.const 8)) (then (unreachable)))`;
      expect(await harness().run(await command(body))).toMatchObject({ ok: true, output: null });
    });

    test("has clocks, randomness and sleep", async () => {
      const body = `
        (drop (call $clock-time-get (i32.const 1) (i64.const 0) (i32.const 16)))
        ;; a subscription to the monotonic clock, 20 ms from now
        (i32.store (i32.const 144) (i32.const 1))
        (i64.store (i32.const 152) (i64.const 20000000))
        (drop (call $poll-oneoff (i32.const 128) (i32.const 256) (i32.const 1) (i32.const 24)))
        (drop (call $clock-time-get (i32.const 1) (i64.const 0) (i32.const 32)))
        (if (i32.ne (i32.load (i32.const 24)) (i32.const 1)) (then (unreachable)))
        (if (i64.lt_u (i64.sub (i64.load (i32.const 32)) (i64.load (i32.const 16))) (i64.const 20000000))
          (then (unreachable)))
        (drop (call $random-get (i32.const 512) (i32.const 64)))
        (if (i64.eqz (i64.load (i32.const 512))) (then (unreachable)))`;
      expect(await harness().run(await command(body))).toMatchObject({ ok: true, output: null });
    });
  });
}

function typedSteps(harness: () => Harness): void {
  /** Returns what was put at 4096. */
  const returning = (content: string): Promise<Uint8Array> =>
    typed(`(call $ok (i32.const 4096) (i32.const ${Buffer.byteLength(content)}))`, {
      declarations: text(content),
    });

  describe("a typed step", () => {
    test("returns JSON", async () => {
      expect(await harness().run(await returning('{"a":[1]}'))).toEqual({
        ok: true,
        output: { a: [1] },
        logs: [],
      });
    });

    test("gets the event's data as JSON text", async () => {
      const body =
        "(call $ok (i32.load offset=16 (local.get $input)) (i32.load offset=20 (local.get $input)))";
      const input = stepInput({ event: { ...stepInput().event, data: { text: "Grüße 👋" } } });
      expect(await harness().run(await typed(body), { input })).toMatchObject({
        output: { text: "Grüße 👋" },
      });
    });

    test("gets the outputs of earlier steps", async () => {
      // steps is a list of (step, output), four words each; this is the output of the second
      const body = `
        (local.set $input (i32.load offset=64 (local.get $input)))
        (call $ok (i32.load offset=24 (local.get $input)) (i32.load offset=28 (local.get $input)))`;
      const bytes = await typed(body);
      const input = stepInput({ steps: { one: 1, two: { n: 2 } } });
      expect(await harness().run(bytes, { input })).toMatchObject({ ok: true, output: { n: 2 } });
    });

    test.each([
      ["retry", 0, "", { code: "ERR_STEP_FAILED", message: "busy", retry: true }],
      [
        "retry with a delay",
        0,
        "(i32.store8 (i32.const 24) (i32.const 1)) (i64.store (i32.const 32) (i64.const 1500))",
        { code: "ERR_STEP_FAILED", message: "busy", retry: true, retryAfterMs: 1500 },
      ],
      ["fatal", 1, "", { code: "ERR_STEP_FATAL", message: "busy", retry: false }],
    ])("fails with %s", async (_, kind, more, failure) => {
      const body = `(call $error (i32.const ${kind}) (i32.const 4096) (i32.const 4)) ${more}`;
      const bytes = await typed(body, { declarations: text("busy") });
      expect(await harness().run(bytes)).toEqual({ ok: false, failure, logs: [] });
    });

    test.each(["", "nope", "{", '{"a":1}x', "NaN", "1e999"])("may not return %j", async (content) => {
      expect(await harness().run(await returning(content))).toMatchObject({
        ok: false,
        failure: { code: "ERR_STEP_OUTPUT_INVALID", retry: false },
      });
    });

    test("may not return text that is not UTF-8", async () => {
      const body = "(call $ok (i32.const 4096) (i32.const 3))";
      const bytes = await typed(body, { declarations: '(data (i32.const 4096) "\\22\\ff\\22")' });
      expect(await harness().run(bytes)).toMatchObject({ ok: false });
    });

    test("logs with levels, and what it prints is log", async () => {
      const imports = `
        (import "millrace:step/log@0.1.0" "log" (func $log (param i32 i32 i32)))
        (import "wasi:cli/stdout@0.2.9" "get-stdout" (func $get-stdout (result i32)))
        (import "wasi:io/streams@0.2.9" "[method]output-stream.blocking-write-and-flush"
          (func $write (param i32 i32 i32 i32)))`;
      const body = `
        (call $log (i32.const 3) (i32.const 4096) (i32.const 5))
        (call $write (call $get-stdout) (i32.const 4101) (i32.const 7) (i32.const 32))
        (call $log (i32.const 0) (i32.const 4096) (i32.const 0))
        (call $ok (i32.const 4112) (i32.const 4))`;
      const bytes = await typed(body, {
        imports,
        declarations: `${text("small")} (data (i32.const 4101) "printed") (data (i32.const 4112) "null")`,
      });
      expect(await harness().run(bytes)).toEqual({
        ok: true,
        output: null,
        logs: [
          { level: "warn", message: "small" },
          { level: "info", message: "printed" },
          { level: "trace", message: "" },
        ],
      });
    });

    test("that exits has failed", async () => {
      const imports = '(import "wasi:cli/exit@0.2.9" "exit-with-code" (func $exit (param i32)))';
      const exit = (code: number): Promise<Uint8Array> =>
        typed(`(call $exit (i32.const ${code})) (unreachable)`, { imports });
      expect(await harness().run(await exit(0))).toMatchObject({ failure: { code: "ERR_STEP_FAILED" } });
      expect(await harness().run(await exit(65))).toMatchObject({ failure: { code: "ERR_STEP_FATAL" } });
    });
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

    test("that is not in the store can come later", async () => {
      const bytes = await printing("7");
      const program = { runtime: { type: "wasm" as const }, sha256: "0".repeat(64) };
      const limits = { wallMs: 1000, memoryBytes: 2 ** 26, outputBytes: 1000, logBytes: 1000 };
      expect(await harness().driver.prepare(program, limits)).toMatchObject({ code: "ERR_ARTIFACT_MISSING" });
      expect(await harness().driver.execute({ program, input: stepInput(), limits })).toMatchObject({
        failure: { code: "ERR_ARTIFACT_MISSING", retry: true },
      });
      expect(await harness().run(bytes)).toMatchObject({ output: 7 });
    });
  });
}
