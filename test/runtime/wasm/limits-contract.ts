import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { RuntimeErrorCode } from "../../../runtime/errors.ts";
import type { Limits } from "../../../runtime/limits.ts";
import { command, component, printing, program, text, typed, wat } from "./components.ts";
import { createHarness } from "./harness.ts";
import type { CreateEngine, Harness } from "./harness.ts";

/** An attack: a step that goes too far, and how the attempt must end. */
interface Attack {
  readonly name: string;
  readonly artifact: Promise<Uint8Array>;
  readonly limits?: Partial<Limits>;
  readonly code: RuntimeErrorCode;
}

const endless = "(loop $forever (br $forever))";
const mebibyte = 1024 * 1024;

/** Holds every engine to its limits: the attempt fails with the limit's code, and the next one is clean. */
export function limitsContract(name: string, createEngine: CreateEngine): void {
  describe(`limits of engine ${name}`, () => {
    let harness: Harness;
    beforeAll(() => {
      harness = createHarness(createEngine);
    });
    afterAll(() => harness.close());

    test.each([...timeAttacks(), ...memoryAttacks(), ...outputAttacks(), ...trapAttacks()])(
      "$name",
      async ({ artifact, limits, code }) => {
        const bytes = await artifact;
        const result = await harness.run(bytes, limits ? { limits } : {});
        expect(result).toMatchObject({ ok: false, failure: { code } });
        // Once more at the same time as one that behaves, and one that behaves afterwards.
        const [again, beside] = await Promise.all([
          harness.run(bytes, limits ? { limits } : {}),
          harness.run(await printing("1")),
        ]);
        expect(again).toMatchObject({ ok: false, failure: { code } });
        expect(beside).toEqual({ ok: true, output: 1, logs: [] });
        expect(await harness.run(await printing("2"))).toEqual({ ok: true, output: 2, logs: [] });
      },
    );

    withinLimits(() => harness);
    keptLogs(() => harness);
    outputs(() => harness);
  });
}

function timeAttacks(): readonly Attack[] {
  const soon = { wallMs: 150 };
  const code = "ERR_STEP_TIMEOUT";
  const startLoop = `(module (memory (export "memory") 1) (func $start ${endless}) (start $start)
    (func (export "_start")))`;
  return [
    { name: "an endless loop", artifact: program(`${endless} (i32.const 0)`), limits: soon, code },
    { name: "an endless loop in a command", artifact: command(endless), limits: soon, code },
    {
      name: "an endless loop in a typed step",
      artifact: typed(`${endless} (i32.const 0)`),
      limits: soon,
      code,
    },
    { name: "an endless loop in a start function", artifact: wat(startLoop), limits: soon, code },
    {
      name: "an endless loop in the start function of a component",
      artifact: component(
        "",
        `(func $start ${endless}) (start $start) (func (export "run") (result i32) (i32.const 0))`,
      ),
      limits: soon,
      code,
    },
    {
      name: "a long sleep",
      artifact: program("(call $block (call $subscribe-duration (i64.const 3600000000000))) (i32.const 0)"),
      limits: soon,
      code,
    },
    {
      name: "an endless loop of calls to the host",
      artifact: program("(loop $l (drop (call $now)) (br $l)) (i32.const 0)"),
      limits: soon,
      code,
    },
  ];
}

const two = (id: number): string => `(core module $m${id} (memory 1) (func (export "f")
  (if (i32.eq (memory.grow (i32.const 80)) (i32.const -1)) (then (unreachable)))))
  (core instance $i${id} (instantiate $m${id}))`;

function memoryAttacks(): readonly Attack[] {
  const limits = { memoryBytes: 8 * mebibyte };
  const code = "ERR_STEP_MEMORY";
  const bomb = `(loop $more (br_if $more (i32.ne (memory.grow (i32.const 1)) (i32.const -1)))) (unreachable)`;
  const once = `(if (i32.eq (memory.grow (i32.const 16384)) (i32.const -1)) (then (unreachable)))`;
  const inStart = `(module (memory (export "memory") 1) (func $start ${bomb}) (start $start) (func (export "_start")))`;
  const several = wat(`(component ${two(1)} ${two(2)}
    (core module $m (import "1" "f" (func $1)) (import "2" "f" (func $2))
      (func (export "run") (result i32) (call $1) (call $2) (i32.const 0)))
    (core instance $i (instantiate $m (with "1" (instance $i1)) (with "2" (instance $i2))))
    (func $run (result (result)) (canon lift (core func $i "run")))
    (instance $r (export "run" (func $run)))
    (export "wasi:cli/run@0.2.0" (instance $r)))`);
  const twice = component(`(core module $large (memory 100))
    (core instance (instantiate $large)) (core instance (instantiate $large))`);
  return [
    { name: "memory grown page by page", artifact: program(bomb), limits, code },
    { name: "a gibibyte asked for at once", artifact: program(`${once} (i32.const 0)`), limits, code },
    { name: "a gibibyte asked for by a command", artifact: command(once), limits, code },
    { name: "memory grown in a start function", artifact: wat(inStart), limits, code },
    { name: "several memories that are too much together", artifact: several, limits, code },
    { name: "a module that is instantiated too often", artifact: twice, limits, code },
    { name: "more memory to begin with", artifact: program("(i32.const 0)", { pages: 200 }), limits, code },
    {
      name: "a failing exit after memory was refused",
      artifact: command(`(drop (memory.grow (i32.const 16384))) (call $proc-exit (i32.const 1))`),
      limits,
      code,
    },
  ];
}

const flood = (call: string): string =>
  `(loop $more (call ${call} (i32.const 4096) (i32.const 4096)) (br $more)) (i32.const 0)`;

const logFlood = (length: number): string =>
  `(loop $more (call $log (i32.const 2) (i32.const 0) (i32.const ${length})) (br $more)) (i32.const 0)`;

function outputAttacks(): readonly Attack[] {
  const limits = { outputBytes: 100_000, logBytes: 10_000 };
  const logging = '(import "millrace:step/log@0.1.0" "log" (func $log (param i32 i32 i32)))';
  const returning = `
    (drop (memory.grow (i32.const 100)))
    (memory.fill (i32.const 65536) (i32.const 32) (i32.const 200000))
    (i32.store8 (i32.const 65536) (i32.const 49))
    (call $ok (i32.const 65536) (i32.const 200000))`;
  return [
    {
      name: "a flood of stdout",
      artifact: program(flood("$print")),
      limits,
      code: "ERR_STEP_OUTPUT_TOO_LARGE",
    },
    { name: "a flood of stderr", artifact: program(flood("$log")), limits, code: "ERR_STEP_LOG_TOO_LARGE" },
    {
      name: "a flood of zeroes",
      artifact: program(
        "(call $write-zeroes (call $get-stdout) (i64.const 0x7fffffffffffffff) (i32.const 0)) (i32.const 0)",
      ),
      limits,
      code: "ERR_STEP_OUTPUT_TOO_LARGE",
    },
    {
      name: "a flood of stdout from a command",
      artifact: command("(loop $more (call $put (i32.const 1) (i32.const 0) (i32.const 65536)) (br $more))"),
      limits,
      code: "ERR_STEP_OUTPUT_TOO_LARGE",
    },
    {
      name: "a flood of stderr from a command",
      artifact: command("(loop $more (call $put (i32.const 2) (i32.const 4096) (i32.const 1)) (br $more))"),
      limits,
      code: "ERR_STEP_LOG_TOO_LARGE",
    },
    {
      name: "a flood of log lines",
      artifact: typed(logFlood(64), { imports: logging }),
      limits,
      code: "ERR_STEP_LOG_TOO_LARGE",
    },
    {
      name: "a flood of empty log lines",
      artifact: typed(logFlood(0), { imports: logging }),
      limits,
      code: "ERR_STEP_LOG_TOO_LARGE",
    },
    {
      name: "a typed output that is too large",
      artifact: typed(returning),
      limits,
      code: "ERR_STEP_OUTPUT_TOO_LARGE",
    },
  ];
}

function trapAttacks(): readonly Attack[] {
  const code = "ERR_STEP_TRAP";
  const recursion =
    "(func $deeper (param i32) (result i32) (i32.add (call $deeper (local.get 0)) (i32.const 1)))";
  const stack = "ERR_STEP_STACK";
  const deeper = "(drop (call $deeper (i32.const 0)))";
  return [
    { name: "unreachable code", artifact: program("(unreachable)"), code },
    { name: "unreachable code in a command", artifact: command("(unreachable)"), code },
    { name: "unreachable code in a typed step", artifact: typed("(unreachable)"), code },
    { name: "a division by zero", artifact: program("(i32.div_u (i32.const 1) (i32.const 0))"), code },
    { name: "an access out of bounds", artifact: program("(i32.load (i32.const -4))"), code },
    {
      name: "a pointer out of bounds",
      artifact: program("(call $print (i32.const -4096) (i32.const 16)) (i32.const 0)"),
      code,
    },
    {
      name: "a pointer out of bounds in a command",
      artifact: command("(drop (call $random-get (i32.const -4096) (i32.const 4096)))"),
      code,
    },
    {
      name: "a handle that it does not have",
      artifact: program(
        "(call $write (i32.const 77) (i32.const 0) (i32.const 4) (i32.const 64)) (i32.const 0)",
      ),
      code,
    },
    {
      name: "deep recursion",
      artifact: program(`${deeper} (i32.const 0)`, { declarations: recursion }),
      code: stack,
    },
    {
      name: "deep recursion in a command",
      artifact: command(deeper, { declarations: recursion }),
      code: stack,
    },
  ];
}

function withinLimits(harness: () => Harness): void {
  describe("what is just within its limit is no failure:", () => {
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
