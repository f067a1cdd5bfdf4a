import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { command, printing, program, text, wat } from "./components.ts";
import { createHarness } from "./harness.ts";
import type { CreateEngine, Harness } from "./harness.ts";
import { endless, limitAttacks, mebibyte, sleep, turns } from "./limit-attacks.ts";

/** Holds every engine to its limits: the attempt fails with the limit's code, and the next one is clean. */
export function limitsContract(name: string, createEngine: CreateEngine): void {
  describe(`limits of engine ${name}`, () => {
    let harness: Harness;
    beforeAll(() => {
      harness = createHarness(createEngine);
    });
    afterAll(() => harness.close());

    test.each(limitAttacks())("$name", async ({ artifact, limits, code, message = /./ }) => {
      const bytes = await artifact;
      const result = await harness.run(bytes, limits ? { limits } : {});
      expect(result).toMatchObject({
        ok: false,
        failure: { code, message: expect.stringMatching(message) },
      });
      // Once more at the same time as one that behaves, and one that behaves afterwards.
      const [again, beside] = await Promise.all([
        harness.run(bytes, limits ? { limits } : {}),
        harness.run(await printing("1")),
      ]);
      expect(again).toMatchObject({ ok: false, failure: { code } });
      expect(beside).toEqual({ ok: true, output: 1, logs: [] });
      expect(await harness.run(await printing("2"))).toEqual({ ok: true, output: 2, logs: [] });
    });

    withinLimits(() => harness);
    keptLogs(() => harness);
    outputs(() => harness);
  });
}

function withinLimits(harness: () => Harness): void {
  describe("what is just within its limit is no failure:", () => {
    test("processor time, however long it waits", async () => {
      const body = `${sleep(300)} ${sleep(300)} ${turns(1000)} (call $print-number (local.get $a)) (i32.const 0)`;
      const limits = { cpuMs: 250 };
      expect(await harness().run(await program(body), { limits })).toMatchObject({ ok: true, output: 0 });
    });

    test("memory", async () => {
      // One page is there; the limit is 128.
      const body = "(call $print-number (memory.grow (i32.const 127))) (i32.const 0)";
      const limits = { memoryBytes: 8 * mebibyte };
      expect(await harness().run(await program(body), { limits })).toMatchObject({ ok: true, output: 1 });
    });

    test("a refusal of memory that the step copes with", async () => {
      const body =
        "(call $print-number (i32.eq (memory.grow (i32.const 30000)) (i32.const -1))) (i32.const 0)";
      expect(await harness().run(await program(body))).toMatchObject({ ok: true, output: 1 });
    });

    test("memory that the engine could not grow by", async () => {
      // The module's own maximum refuses; what was not got does not count.
      const module = `(module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (memory (export "memory") 1 10)
        (func (export "_start")
          (drop (memory.grow (i32.const 100)))
          (drop (memory.grow (i32.const 27)))
          (call $exit (i32.sub (memory.grow (i32.const 5)) (i32.const 1)))))`;
      const limits = { memoryBytes: 8 * mebibyte };
      expect(await harness().run(await wat(module), { limits })).toMatchObject({ ok: true, output: null });
    });

    test("output", async () => {
      const bytes = await program("(call $print (i32.const 8192) (i32.const 5000)) (i32.const 0)");
      const limits = { outputBytes: 5000 };
      expect(await harness().run(bytes, { limits })).toMatchObject({ ok: true, output: "\0".repeat(5000) });
      expect(await harness().run(bytes, { limits: { outputBytes: 4999 } })).toMatchObject({
        failure: { code: "ERR_STEP_OUTPUT_TOO_LARGE" },
      });
    });

    test("log", async () => {
      const bytes = await program("(call $log (i32.const 8192) (i32.const 500)) (i32.const 0)");
      expect(await harness().run(bytes, { limits: { logBytes: 500 } })).toMatchObject({ ok: true });
      expect(await harness().run(bytes, { limits: { logBytes: 499 } })).toMatchObject({
        failure: { code: "ERR_STEP_LOG_TOO_LARGE" },
      });
    });
  });
}

function keptLogs(harness: () => Harness): void {
  const hello = "(call $log (i32.const 4096) (i32.const 5))";
  const declarations = text("hello");

  describe("the log until then is kept", () => {
    test.each([
      ["a timeout", endless, { wallMs: 200 }],
      ["a trap", "(unreachable)", {}],
      ["an output that is too large", "(call $print (i32.const 8192) (i32.const 500))", { outputBytes: 100 }],
    ])("after %s", async (_, body, limits) => {
      const result = await harness().run(await program(`${hello} ${body} (i32.const 0)`, { declarations }), {
        limits,
      });
      expect(result).toMatchObject({ ok: false, logs: [{ level: "info", message: "hello" }] });
    });

    test("up to its own limit", async () => {
      const body = `(loop $more ${hello} (br $more)) (i32.const 0)`;
      const result = await harness().run(await program(body, { declarations }), { limits: { logBytes: 12 } });
      expect(result).toMatchObject({
        failure: { code: "ERR_STEP_LOG_TOO_LARGE" },
        logs: [{ level: "info", message: "hellohellohe" }],
      });
    });
  });
}

const nested = (depth: number): Promise<Uint8Array> =>
  command(`
    (memory.fill (i32.const 10000) (i32.const 91) (i32.const ${depth}))
    (memory.fill (i32.const ${10_000 + depth}) (i32.const 93) (i32.const ${depth}))
    (call $put (i32.const 1) (i32.const 10000) (i32.const ${2 * depth}))`);

function outputs(harness: () => Harness): void {
  describe("an output", () => {
    test("may nest 1,000 levels deep, no deeper", async () => {
      const kept = await harness().run(await nested(1000));
      expect(kept.ok && JSON.stringify(kept.output)).toBe("[".repeat(1000) + "]".repeat(1000));
      expect(await harness().run(await nested(1001))).toMatchObject({
        failure: { code: "ERR_STEP_OUTPUT_INVALID", retry: false },
      });
      expect(await harness().run(await nested(20_000))).toMatchObject({
        failure: { code: "ERR_STEP_OUTPUT_INVALID" },
      });
    });

    test("with brackets in strings does not nest", async () => {
      const length = 3000 + 6;
      const bytes = await command(`(call $put (i32.const 1) (i32.const 4096) (i32.const ${length}))`, {
        declarations: `(data (i32.const 4096) "\\22\\5c\\5c\\5c\\22${"[".repeat(3000)}\\22")`,
      });
      expect(await harness().run(bytes)).toMatchObject({ ok: true, output: `\\"${"[".repeat(3000)}` });
    });

    test("with __proto__ pollutes nothing", async () => {
      const printed = '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}';
      const result = await harness().run(await printing(printed));
      expect(result.ok && JSON.stringify(result.output)).toBe(printed);
      expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
      expect(result.ok && Object.getPrototypeOf(result.output)).toBe(Object.prototype);
    });

    test("with a number beyond a double's range is refused", async () => {
      expect(await harness().run(await printing('{"a":[1e999]}'))).toMatchObject({
        failure: { code: "ERR_STEP_OUTPUT_INVALID" },
      });
      expect(await harness().run(await printing('"1e999"'))).toMatchObject({ ok: true, output: "1e999" });
    });
  });
}
