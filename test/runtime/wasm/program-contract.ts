import { describe, expect, test } from "vitest";
import { command, copyStdin, program, text } from "./components.ts";
import { stepInput } from "./harness.ts";
import type { Harness } from "./harness.ts";

/** Prints the argument at an index. */
const printArgument = (index: number): string => `
  (call $get-arguments (i32.const 32))
  (local.set $a (i32.add (i32.load (i32.const 32)) (i32.const ${8 * index})))
  (call $print (i32.load (local.get $a)) (i32.load offset=4 (local.get $a)))
  (i32.const 0)`;

/** What a program, a component that exports wasi:cli/run, can rely on. */
export function programContract(harness: () => Harness): void {
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

/** What a core module built for WASI preview 1 can rely on. */
export function commandContract(harness: () => Harness): void {
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
