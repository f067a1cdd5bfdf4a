import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import { expect, test } from "vitest";
import { boundMemory, withState } from "../../../host/build/component-state.ts";
import { decodeComponent } from "../../../runtime/wasm/v8/component/decode.ts";
import { webAssembly, type WasmMemory } from "../../../runtime/wasm/v8/webassembly.ts";

const pageBytes = 65_536;

/** A component within a component, as componentize-qjs gives them; the second module is the one with the memory. */
const component = await parse(`(component
  (component
    (core module (func (export "other") (result i32) (i32.const 1)))
    (core module
      (memory (export "memory") 1)
      (global (export "__stack_pointer") (mut i32) (i32.const 7))
      (global (export "constant") i32 (i32.const 5))
      (global (mut i32) (i32.const 3))
      (global (export "negative") (mut i32) (i32.const 0))
      (func (export "hidden") (result i32) (global.get 2))
      (data (i32.const 0) "old"))))`);

function instantiate(bytes: Uint8Array) {
  const [, module] = decodeComponent(bytes).modules;
  if (module === undefined) throw new Error("the component lacks its second module");
  const { exports } = new webAssembly.Instance(new webAssembly.Module(module));
  const value = (name: string): number => (exports[name] as { readonly value: number }).value;
  return {
    memory: new Uint8Array((exports["memory"] as WasmMemory).buffer),
    globals: [value("__stack_pointer"), value("constant"), value("negative")],
    hidden: (exports["hidden"] as () => number)(),
  };
}

test("a component begins with the memory and the globals that it is given", () => {
  const memory = new Uint8Array(3 * pageBytes);
  // Runs at the ends, next to each other, and with gaps around the one that is kept.
  for (const at of [1, 2, 300, 557, 814, 70_000, 70_255, memory.length - 1]) memory[at] = at % 251;
  const globals = new Map([
    ["__stack_pointer", 1_048_576],
    ["constant", 99],
    ["negative", -12_345],
  ]);
  const changed = instantiate(withState(component, { memory, globals }));
  expect(Buffer.compare(changed.memory, memory)).toBe(0);
  expect(changed.globals).toEqual([1_048_576, 5, -12_345]);
  expect(changed.hidden).toBe(3);
});

test("numbers of every length are written as they must be", () => {
  for (const value of [0, 63, 64, -64, -65, 8_191, 8_192, 2 ** 31 - 1, -(2 ** 31)]) {
    const globals = new Map([["negative", value]]);
    const changed = instantiate(withState(component, { memory: new Uint8Array(pageBytes), globals }));
    expect(changed.globals[2]).toBe(value);
  }
});

test("a component without a memory of its own is refused", async () => {
  const other = await parse('(component (core module (func (export "f"))))');
  expect(() => withState(other, { memory: new Uint8Array(0), globals: new Map() })).toThrow(/no core module/);
});

test("a memory grows no further than it is bound to", () => {
  const [, module] = decodeComponent(component).modules;
  const { exports } = new webAssembly.Instance(
    new webAssembly.Module(boundMemory(module ?? new Uint8Array(0), 2 * pageBytes)),
  );
  const memory = exports["memory"] as { grow(pages: number): number };
  expect(memory.grow(1)).toBe(1);
  expect(() => memory.grow(1)).toThrow(RangeError);
});
