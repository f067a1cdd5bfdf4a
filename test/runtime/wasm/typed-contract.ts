import { describe, expect, test } from "vitest";
import { text, typed } from "./components.ts";
import { stepInput } from "./harness.ts";
import type { Harness } from "./harness.ts";

/** Returns what was put at 4096. */
const returning = (content: string): Promise<Uint8Array> =>
  typed(`(call $ok (i32.const 4096) (i32.const ${Buffer.byteLength(content)}))`, {
    declarations: text(content),
  });

/** What a component of the typed world can rely on. */
export function typedContract(harness: () => Harness): void {
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
        (local.set $input (i32.load offset=72 (local.get $input)))
        (call $ok (i32.load offset=24 (local.get $input)) (i32.load offset=28 (local.get $input)))`;
      const bytes = await typed(body);
      const input = stepInput({ steps: { one: 1, two: { n: 2 } } });
      expect(await harness().run(bytes, { input })).toEqual({ ok: true, output: { n: 2 }, logs: [] });
    });

    test("gets the event that was waited for behind the outputs", async () => {
      const body = `
        (local.set $input (i32.load offset=72 (local.get $input)))
        (call $ok (i32.load offset=24 (local.get $input)) (i32.load offset=28 (local.get $input)))`;
      const async = { id: "e2", name: "order/paid", data: { sum: 3 }, ts: 5 };
      const input = stepInput({ steps: { one: 1 }, async });
      expect(await harness().run(await typed(body), { input })).toEqual({
        ok: true,
        output: async,
        logs: [],
      });
    });

    test("gets the events of a batch behind the outputs", async () => {
      const body = `
        (local.set $input (i32.load offset=72 (local.get $input)))
        (call $ok (i32.load offset=24 (local.get $input)) (i32.load offset=28 (local.get $input)))`;
      const events = [1, 2].map((n) => ({ id: `e${n}`, name: "order/placed", data: { n }, ts: 5 }));
      const input = stepInput({ steps: { one: 1 }, events });
      expect(await harness().run(await typed(body), { input })).toEqual({
        ok: true,
        output: events,
        logs: [],
      });
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

    test("that was refused memory and asks for another attempt is told of its memory", async () => {
      const body = `(drop (memory.grow (i32.const 60000))) (call $error (i32.const 0) (i32.const 4096) (i32.const 4))
        (i32.store8 (i32.const 24) (i32.const 1)) (i64.store (i32.const 32) (i64.const 1500))`;
      const bytes = await typed(body, { declarations: text("busy") });
      expect(await harness().run(bytes)).toMatchObject({
        ok: false,
        failure: {
          code: "ERR_STEP_MEMORY",
          message: expect.stringMatching(
            /^busy\. It had been refused more memory: it had \d+ bytes/,
          ) as string,
          retryAfterMs: 1500,
        },
      });
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
