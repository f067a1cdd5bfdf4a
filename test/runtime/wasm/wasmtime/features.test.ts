import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createV8Engine } from "../../../../runtime/wasm/v8/engine.ts";
import { component, wat } from "../components.ts";
import { createHarness } from "../harness.ts";
import type { Harness } from "../harness.ts";
import { createEngine, skipped } from "./engine.ts";

const start = (declarations: string, body: string): Promise<Uint8Array> =>
  wat(`(module ${declarations} (memory (export "memory") 1) (func (export "_start") ${body}))`);

/** A component that nests `depth` components, each of which has the one within it twice. */
function doubling(depth: number): string {
  let nested = "(component $c0 (core module $m) (core instance (instantiate $m)))";
  for (let level = 1; level <= depth; level++) {
    const inner = `$c${level - 1}`;
    nested = `(component $c${level} ${nested} (instance (instantiate ${inner})) (instance (instantiate ${inner})))`;
  }
  return `${nested} (instance (instantiate $c${depth}))`;
}

const trapUnless = (condition: string): string => `(if (i32.eqz ${condition}) (then (unreachable)))`;

/** What both engines run, and what neither does. */
const features: readonly (readonly [string, Promise<Uint8Array>, code?: string])[] = [
  [
    "exceptions",
    start("(tag $t)", "(block $caught (try_table (catch $t $caught) (throw $t)) (unreachable))"),
  ],
  [
    "tail calls",
    start(
      "(func $down (param i32) (if (local.get 0) (then (return_call $down (i32.sub (local.get 0) (i32.const 1))))))",
      // Not deep: on V8 they are calls, so that a thread in an endless row of them can be ended.
      "(call $down (i32.const 1000))",
    ),
  ],
  ["several memories", start("(memory $b 1)", trapUnless("(memory.size $b)"))],
  [
    "vectors",
    start(
      "",
      trapUnless("(i32x4.extract_lane 3 (i32x4.add (v128.const i32x4 1 2 3 4) (v128.const i32x4 1 1 1 1)))"),
    ),
  ],
  [
    "relaxed vectors",
    start("", "(drop (f32x4.relaxed_min (v128.const f32x4 1 2 3 4) (v128.const f32x4 1 1 1 1)))"),
  ],
  [
    "extended constants",
    start(
      "(global $g i32 (i32.add (i32.const 1) (i32.const 2)))",
      trapUnless("(i32.eq (global.get $g) (i32.const 3))"),
    ),
  ],
  [
    "references to functions",
    start(
      "(type $f (func (result i32))) (func $one (type $f) (i32.const 1)) (elem declare func $one)",
      trapUnless("(call_ref $f (ref.func $one))"),
    ),
  ],
  ["a table of 20,000 functions", start("(table 20000 funcref)", "")],
  [
    "garbage-collected types",
    start("(type $a (array (mut i64)))", "(drop (array.new_default $a (i32.const 1)))"),
    "ERR_COMPONENT_INVALID",
  ],
  ["shared memory", wat('(module (memory 1 2 shared) (func (export "_start")))'), "ERR_COMPONENT_INVALID"],
  ["instructions of threads", start("", "(drop (i32.atomic.load (i32.const 0)))"), "ERR_COMPONENT_INVALID"],
  ["64-bit memory", wat('(module (memory i64 1 2) (func (export "_start")))'), "ERR_COMPONENT_INVALID"],
  ["components that double with each level", component(doubling(25)), "ERR_COMPONENT_INVALID"],
  ["components that are used twice", component(doubling(3))],
  [
    "more tables than an attempt may have",
    wat(`(module ${"(table 900000 funcref)".repeat(20)} (func (export "_start")))`),
    "ERR_STEP_MEMORY",
  ],
  ["an exception that nobody catches", start("(tag $t)", "(throw $t)"), "ERR_STEP_TRAP"],
];

describe.skipIf(skipped)("Wasmtime and V8 agree on", () => {
  let harnesses: readonly Harness[];
  beforeAll(() => {
    harnesses = [createHarness(createEngine, 1), createHarness(createV8Engine, 1)];
  });
  afterAll(() => Promise.all(harnesses.map((harness) => harness.close())));

  test.each(features.map(([name, artifact, code]) => ({ name, artifact, code })))(
    "$name",
    async (feature) => {
      const { artifact, code } = feature;
      for (const harness of harnesses) {
        const result = await harness.run(await artifact);
        expect(result).toMatchObject(code === undefined ? { ok: true } : { ok: false, failure: { code } });
      }
    },
  );
});

/** What the standard leaves to the engine, and programs with a seed must not see differ. */
const open: readonly (readonly [string, string])[] = [
  [
    "the bits of a NaN, whatever made it",
    `(i64.eq (i64.const 0x7ff8000000000000)
       (i64.and
         (i64.and (i64.reinterpret_f64 (f64.div (f64.load (i32.const 64)) (f64.load (i32.const 64))))
           (i64.reinterpret_f64 (f64.sqrt (f64.sub (f64.load (i32.const 64)) (f64.const 1)))))
         (i64.reinterpret_f64 (f64.add (f64.load (i32.const 64)) (f64.load (i32.const 72))))))`,
  ],
  [
    "a relaxed choice of bytes by indices that there are not",
    `(i64.eqz (i64x2.extract_lane 0 (i8x16.relaxed_swizzle
       (v128.const i64x2 0x0807060504030201 0x0807060504030201) (v128.load (i32.const 80)))))`,
  ],
];

describe.skipIf(skipped)("Wasmtime does the same on every processor with", () => {
  test.each(open)("%s", async (_, condition) => {
    const harness = createHarness(createEngine, 1);
    try {
      // Read from memory, so that no compiler works it out: a NaN with other bits, and indices from 16 to 127.
      const data = String.raw`(data (i32.const 72) "\01\00\00\00\00\00\f4\ff\10\20\30\40\50\60\70\7f")`;
      const bytes = await start(data, trapUnless(condition));
      expect(await harness.run(bytes)).toMatchObject({ ok: true });
    } finally {
      await harness.close();
    }
  });
});
