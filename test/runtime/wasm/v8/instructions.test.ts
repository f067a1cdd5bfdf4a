import { expect, test } from "vitest";
import { findGrowSites } from "../../../../runtime/wasm/v8/instructions.ts";
import { boundModule } from "../../../../runtime/wasm/v8/bounds.ts";
import { webAssembly } from "../../../../runtime/wasm/v8/webassembly.ts";
import { wat } from "../components.ts";

/** One instruction of each kind of operands; those after a wrong guess of their length would be read wrongly. */
const everyKind = `
  (block) (block (result i32) (i32.const 64)) drop (loop) (if (i32.const 0) (then) (else))
  (block $a (block $b (br_table $a $b $a (i32.const 1))))
  (block (br_if 0 (i32.const 0))) (block (br 0))
  (drop (select (i32.const 1) (i32.const 2) (i32.const 3)))
  (drop (select (result i32) (i32.const 1) (i32.const 2) (i32.const 3)))
  (block $c (try_table (catch $tag $c) (catch_all $c)))
  (block $d (drop (block $e (result exnref) (try_table (catch_all_ref $e)) (br $d))))
  (call $other) (call_indirect $table (type $empty) (i32.const 0))
  (local.set 0 (local.get 0)) (drop (local.tee 0 (i32.const 64))) (global.set $g (global.get $g))
  (table.set $table (i32.const 0) (table.get $table (i32.const 0)))
  (drop (i32.load offset=64 align=1 (i32.const 0))) (drop (i64.load8_s (i32.const 0)))
  (drop (f64.load (i32.const 0))) (i32.store16 offset=16448 (i32.const 0) (i32.const 64))
  (drop (memory.size)) (drop (i32.const 64)) (drop (i32.const -64)) (drop (i64.const 0x4040404040404040))
  (drop (f32.const 3)) (drop (f64.const 32.5)) (drop (i32.add (i32.const 64) (i32.extend8_s (i32.const 64))))
  (drop (ref.is_null (ref.null func))) (drop (ref.func $other)) (drop (ref.is_null (ref.null extern)))
  (drop (i32.trunc_sat_f32_s (f32.const 1)))
  (memory.init $data (i32.const 0) (i32.const 0) (i32.const 0)) (data.drop $data)
  (memory.copy (i32.const 0) (i32.const 0) (i32.const 64)) (memory.fill (i32.const 0) (i32.const 64) (i32.const 64))
  (table.init $table $elem (i32.const 0) (i32.const 0) (i32.const 0)) (elem.drop $elem)
  (table.copy $table $table (i32.const 0) (i32.const 0) (i32.const 0))
  (drop (table.grow $table (ref.null func) (i32.const 0))) (drop (table.size $table))
  (table.fill $table (i32.const 0) (ref.null func) (i32.const 0))
  (drop (v128.load offset=64 (i32.const 0))) (drop (v128.const i8x16 64 64 64 64 64 64 64 64 64 64 64 64 64 64 64 64))
  (drop (i8x16.shuffle 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 (v128.const i64x2 0 0) (v128.const i64x2 0 0)))
  (drop (i8x16.extract_lane_s 5 (v128.const i64x2 0 0)))
  (drop (v128.load8_lane offset=64 7 (i32.const 0) (v128.const i64x2 0 0)))
  (drop (v128.load32_zero (i32.const 0))) (drop (i32x4.add (v128.const i64x2 0 0) (v128.const i64x2 0 0)))
  (drop (f32x4.relaxed_madd (v128.const i64x2 0 0) (v128.const i64x2 0 0) (v128.const i64x2 0 0)))`;

const module = (body: string): Promise<Uint8Array> =>
  wat(`(module (type $empty (func)) (tag $tag) (memory (export "memory") 1) (table $table 4 funcref)
    (global $g (mut i32) (i32.const 0)) (elem $elem func $other) (data $data "@@@@")
    (func $other) (elem declare func $other)
    (func (export "run") (result i32) (local i32)
      ${body}))`);

test("memory.grow is found behind every kind of instruction", async () => {
  const { bytes, footprint } = boundModule(await module(`${everyKind} (memory.grow (i32.const 1))`));
  expect(footprint.memories).toEqual([{ minimum: 1 }]);
  // The engine agrees with where each instruction begins and ends.
  const instance = new webAssembly.Instance(new webAssembly.Module(bytes), {
    "millrace:memory": { 0: new webAssembly.Memory({ initial: 1, maximum: 4 }) },
  });
  const hook = instance.exports["millrace:grow"] as {
    get(index: number): (delta: number, take: number) => number;
  };
  // What stands there until the host puts its own: nothing is granted.
  expect(hook.get(0)(1, 1)).toBe(0);
});

test("bytes that look like memory.grow in operands are left alone", async () => {
  // Without those that are replaced too.
  const others = everyKind.replaceAll(/^ +\(memory\.(?:init|copy) .*$/gm, "");
  const { bytes } = boundModule(await module(`${others} (i32.const 0)`));
  const instance = new webAssembly.Instance(new webAssembly.Module(bytes), {
    "millrace:memory": { 0: new webAssembly.Memory({ initial: 1, maximum: 4 }) },
  });
  expect(instance.exports["millrace:grow"]).toBeUndefined();
});

test.each([
  ["an unknown instruction", [0xe5, 0x0b]],
  ["an instruction that is cut off", [0x41]],
  ["an instruction on garbage-collected types", [0xfb, 0x00, 0x00]],
])("%s is refused", (_, code) => {
  expect(() => findGrowSites(Uint8Array.from(code), 0, code.length)).toThrow(/instruction/);
});
