import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { RuntimeErrorCode } from "../../../../runtime/errors.ts";
import type { Limits } from "../../../../runtime/limits.ts";
import { createV8Engine } from "../../../../runtime/wasm/v8/engine.ts";
import { component, printing, program, typed, wat } from "../components.ts";
import { createHarness } from "../harness.ts";
import type { Harness } from "../harness.ts";

const logging = { imports: '(import "millrace:step/log@0.1.0" "log" (func $log (param i32 i32 i32)))' };

/** Fills 60 MB with "a" from 65536 on. */
const fill =
  "(drop (memory.grow (i32.const 1000))) (memory.fill (i32.const 65536) (i32.const 97) (i32.const 60000000))";

/** A component that nests `depth` components, each of which has the one within it twice. */
function doubling(depth: number): string {
  let nested = "(component $c0 (core module $m) (core instance (instantiate $m)))";
  for (let level = 1; level <= depth; level++) {
    const inner = `$c${level - 1}`;
    nested = `(component $c${level} ${nested} (instance (instantiate ${inner})) (instance (instantiate ${inner})))`;
  }
  return `${nested} (instance (instantiate $c${depth}))`;
}

interface Attack {
  readonly name: string;
  readonly artifact: Promise<Uint8Array>;
  readonly limits?: Partial<Limits>;
  readonly code: RuntimeErrorCode;
  readonly message?: RegExp;
}

const attacks: readonly Attack[] = [
  {
    name: "handles that are never dropped",
    artifact: program("(loop $more (drop (call $get-stdout)) (br $more)) (i32.const 0)"),
    code: "ERR_STEP_TRAP",
    message: /resource handles/,
  },
  {
    name: "a list of millions of handles",
    artifact: program(`
      ${fill}
      (local.set $b (call $subscribe-duration (i64.const 0)))
      (local.set $a (i32.const 65536))
      (loop $more
        (i32.store (local.get $a) (local.get $b))
        (local.set $a (i32.add (local.get $a) (i32.const 4)))
        (br_if $more (i32.lt_u (local.get $a) (i32.const 60000000))))
      (call $poll (i32.const 65536) (i32.const 14000000) (i32.const 32))
      (i32.const 0)`),
    limits: { memoryBytes: 128 * 1024 * 1024 },
    code: "ERR_STEP_TRAP",
    message: /more than .* bytes at once/,
  },
  {
    name: "one log line of 60 MB",
    artifact: typed(
      `${fill} (call $log (i32.const 2) (i32.const 65536) (i32.const 60000000)) (i32.const 0)`,
      logging,
    ),
    limits: { memoryBytes: 128 * 1024 * 1024 },
    code: "ERR_STEP_LOG_TOO_LARGE",
  },
  {
    name: "millions of random bytes at once",
    artifact: component(
      `(import "wasi:random/random@0.2.0" (instance $random
         (export "get-random-bytes" (func (param "len" u64) (result (list u8))))))
       (core module $memory (memory (export "memory") 1)
         (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0)))
       (core instance $memory (instantiate $memory))
       (alias core export $memory "memory" (core memory $mem))
       (alias core export $memory "realloc" (core func $realloc))
       (core func $bytes (canon lower (func $random "get-random-bytes") (memory $mem) (realloc $realloc)))
       (core module $code (import "" "bytes" (func $bytes (param i64 i32)))
         (func (export "run") (result i32) (call $bytes (i64.const 0x7fffffffffff) (i32.const 0)) (i32.const 0)))
       (core instance $code (instantiate $code (with "" (instance (export "bytes" (func $bytes))))))`,
      '(func (export "run") (result i32) (unreachable))',
    ),
    code: "ERR_STEP_TRAP",
  },
  {
    name: "many great tables",
    artifact: wat(`(module ${"(table 900000 funcref)".repeat(20)} (func (export "_start")))`),
    code: "ERR_STEP_MEMORY",
  },
  {
    name: "a table that is grown",
    artifact: wat(`(module (table 1 externref) (func (export "_start")
      (if (i32.eq (table.grow 0 (ref.null extern) (i32.const 9999999)) (i32.const -1)) (then (unreachable)))))`),
    code: "ERR_STEP_TRAP",
  },
  {
    name: "garbage-collected arrays",
    artifact: wat(`(module (type $a (array (mut i64)))
      (func (export "_start") (drop (array.new_default $a (i32.const 100000000)))))`),
    code: "ERR_COMPONENT_INVALID",
    message: /garbage-collected/,
  },
  {
    name: "shared memory",
    artifact: wat('(module (memory 1 2 shared) (func (export "_start")))'),
    code: "ERR_COMPONENT_INVALID",
    message: /shared memory/,
  },
  {
    name: "64-bit memory",
    artifact: wat('(module (memory i64 1 2) (func (export "_start")))'),
    code: "ERR_COMPONENT_INVALID",
    message: /64-bit/,
  },
  {
    name: "components that double with each level",
    artifact: component(doubling(25)),
    code: "ERR_COMPONENT_INVALID",
    message: /definitions/,
  },
  {
    name: "an exception that nobody catches",
    artifact: wat('(module (tag $t) (func (export "_start") (throw $t)))'),
    code: "ERR_STEP_TRAP",
  },
  {
    name: "an exit that the guest catches",
    artifact: program(`
      (block $caught (try_table (catch_all $caught) (call $exit-with-code (i32.const 65))))
      (i32.const 0)`),
    code: "ERR_STEP_FATAL",
  },
  {
    name: "a limit whose end the guest catches",
    artifact: program(`
      (loop $more
        (block $caught (try_table (catch_all $caught) (call $print (i32.const 0) (i32.const 60000))))
        (br $more))
      (i32.const 0)`),
    limits: { outputBytes: 100_000 },
    code: "ERR_STEP_OUTPUT_TOO_LARGE",
  },
];

describe("what a guest can do to the host's own memory", () => {
  let harness: Harness;
  beforeAll(() => {
    harness = createHarness(createV8Engine);
  });
  afterAll(() => harness.close());

  test.each(attacks)("$name", async ({ artifact, limits, code, message = /./ }) => {
    const result = await harness.run(await artifact, limits ? { limits } : {});
    expect(result).toMatchObject({ ok: false, failure: { code, message: expect.stringMatching(message) } });
    expect(await harness.run(await printing("1"))).toEqual({ ok: true, output: 1, logs: [] });
  });
});
