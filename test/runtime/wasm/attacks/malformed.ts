import { leb } from "../../../../runtime/wasm/binary.ts";
import { component, printing, program, typed, wat } from "../components.ts";
import type { Attack } from "./attack.ts";

const componentPreamble = Buffer.from("0061736d0d000100", "hex");
const modulePreamble = Buffer.from("0061736d01000000", "hex");

const named = (name: string): number[] => [...leb(Buffer.byteLength(name)), ...Buffer.from(name)];

const section = (id: number, ...content: readonly (readonly number[] | Uint8Array)[]): Uint8Array => {
  const body = Buffer.concat(content.map((part) => Uint8Array.from(part)));
  return Buffer.concat([Uint8Array.from([id, ...leb(body.length)]), body]);
};

const repeated = (bytes: readonly number[] | Uint8Array, count: number): Uint8Array => {
  const part = Buffer.from(Uint8Array.from(bytes));
  return Buffer.concat(Array.from({ length: count }, () => part));
};

/** An export that makes it a program at first sight; what it names is not there. */
const entry = section(11, [1, 0, ...named("wasi:cli/run@0.2.0"), 5, 0, 0]);

const raw =
  (...parts: readonly Uint8Array[]): (() => Uint8Array) =>
  () =>
    Buffer.concat([componentPreamble, ...parts, entry]);

const invalid = "ERR_COMPONENT_INVALID";
const refused = { refused: true, code: invalid } as const;

/** Nests `depth` components, each of which has the one within it twice. */
function doubling(depth: number): string {
  let nested = "(component $c0 (core module $m) (core instance (instantiate $m)))";
  for (let level = 1; level <= depth; level++) {
    const inner = `$c${level - 1}`;
    nested = `(component $c${level} ${nested} (instance (instantiate ${inner})) (instance (instantiate ${inner})))`;
  }
  return `${nested} (instance (instantiate $c${depth}))`;
}

const commandModule = (...sections: readonly Uint8Array[]): Uint8Array =>
  Buffer.concat([modulePreamble, ...sections]);
const types = section(1, [1, 0x60, 0, 0]);
const functions = section(3, [1, 0]);
const exported = section(7, [1, ...named("_start"), 0, 0]);
const code = section(10, [1, 2, 0, 0x0b]);

/** Grows memories that are not there, each with another index. */
const growing = (count: number): Uint8Array => {
  const body = Buffer.concat([
    Uint8Array.of(0),
    ...Array.from({ length: count }, (_, index) => Uint8Array.from([0x41, 0, 0x40, ...leb(index), 0x1a])),
    Uint8Array.of(0x0b),
  ]);
  return section(10, [1, ...leb(body.length)], body);
};

/** Binaries that are none, or cost far more than their size. Each is refused when it is prepared, and soon. */
export const malformedAttacks: readonly Attack[] = [
  { name: "nothing", artifact: () => new Uint8Array(), ...refused, message: /empty/ },
  { name: "a million zeroes", artifact: () => new Uint8Array(1_000_000), ...refused },
  {
    name: "a component that is cut off",
    artifact: () => printing("1").then((it) => it.subarray(0, 700)),
    ...refused,
  },
  {
    name: "a component with something behind its end",
    artifact: () => printing("1").then((it) => Buffer.concat([it, Uint8Array.of(1, 2, 3)])),
    ...refused,
  },
  {
    name: "a section longer than the file",
    artifact: raw(Uint8Array.from([7, 0xff, 0xff, 0xff, 0xff, 0x0f])),
    ...refused,
  },
  {
    name: "a length of more than 32 bits",
    artifact: raw(Uint8Array.from([7, 0xff, 0xff, 0xff, 0xff, 0x7f])),
    ...refused,
  },
  {
    name: "a number that never ends",
    artifact: raw(section(10, [1, 0], new Uint8Array(100_000).fill(0x80))),
    ...refused,
  },
  {
    name: "four billion imports of which none is there",
    artifact: raw(section(10, [0xff, 0xff, 0xff, 0xff, 0x0f])),
    ...refused,
  },
  {
    name: "four billion types of which none is there",
    artifact: raw(section(7, [0xff, 0xff, 0xff, 0xff, 0x0f])),
    ...refused,
  },
  {
    name: "an import name that is no UTF-8",
    artifact: raw(section(10, [1, 0, 2, 0xff, 0xfe, 5, 0])),
    ...refused,
  },
  { name: "millions of sections", artifact: raw(repeated([0, 1, 0], 5_000_000)), ...refused },
  {
    name: "millions of imports",
    artifact: raw(section(10, leb(3_000_000), repeated([0, 1, 0x78, 1, 0], 3_000_000))),
    ...refused,
  },
  {
    name: "millions of types",
    artifact: raw(section(7, leb(8_000_000), repeated([0x7f], 8_000_000))),
    ...refused,
  },
  {
    name: "a record of millions of fields",
    artifact: raw(section(7, [1, 0x72, ...leb(3_000_000)], repeated([1, 0x61, 0x7f], 3_000_000))),
    ...refused,
  },
  {
    name: "types that nest a million deep",
    artifact: raw(section(7, [1], repeated([0x42, 1, 1], 1_000_000))),
    ...refused,
  },
  {
    name: "types that nest nine thousand deep",
    artifact: raw(section(7, [1], repeated([0x42, 1, 1], 9_000), [0x42, 0])),
    ...refused,
  },
  {
    name: "twenty names from four billion components further out",
    artifact: raw(section(6, [20], repeated([3, 2, 0xff, 0xff, 0xff, 0xff, 0x0f, 0], 20))),
    ...refused,
  },
  {
    name: "a thousand imports of an interface with a thousand types",
    artifact: raw(
      section(7, [1, 0x42, ...leb(1_000)], repeated([1, 0x7f], 1_000)),
      section(10, leb(1_000), repeated([0, ...named("wasi:cli/exit@0.2.0"), 5, 0], 1_000)),
    ),
    ...refused,
  },
  {
    name: "fifty thousand core modules",
    artifact: raw(repeated(section(1, modulePreamble), 50_000)),
    ...refused,
  },
  { name: "components that double with each level", artifact: () => component(doubling(25)), ...refused },
  {
    name: "components 200 deep",
    artifact: raw(
      Array.from({ length: 200 }).reduce<Uint8Array>(
        (inner) => section(4, componentPreamble, inner),
        section(4, componentPreamble),
      ),
    ),
    ...refused,
  },
  {
    name: "a core module with a broken body",
    artifact: () => commandModule(types, functions, exported, section(10, [1, 3, 0, 0x1a, 0x0b])),
    ...refused,
  },
  {
    name: "a hundred thousand sections of the same kind",
    artifact: () => commandModule(types, functions, exported, code, repeated(section(11, [0]), 90_000)),
    ...refused,
  },
  {
    name: "a core module that grows a hundred thousand memories that it does not have",
    artifact: () => commandModule(types, functions, exported, growing(100_000)),
    ...refused,
  },
  {
    name: "more locals than fit",
    artifact: () =>
      commandModule(
        types,
        functions,
        exported,
        section(10, [1, 8, 1, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x7f, 0x0b]),
      ),
    ...refused,
  },
  {
    name: "a command that takes arguments",
    artifact: () => wat('(module (func (export "_start") (param i64) unreachable))'),
    // V8 does not tell what a function takes before it is called.
    code: "ERR_STEP_TRAP",
    on: { wasmtime: { refused: true, code: "ERR_COMPONENT_EXPORT", message: /without parameters/ } },
  },
  {
    name: "fifty thousand loops within each other",
    artifact: () =>
      wat(`(module (func (export "_start") ${"loop ".repeat(50_000)} ${"end ".repeat(50_000)}))`),
    output: null,
    // Cranelift would take minutes, and gigabytes.
    on: { wasmtime: { ...refused, message: /compile/ } },
  },
  {
    name: "64-bit memory",
    artifact: () => wat('(module (memory i64 1 2) (func (export "_start")))'),
    ...refused,
  },
  {
    name: "garbage-collected arrays",
    artifact: () =>
      wat(
        '(module (type $a (array (mut i64))) (func (export "_start") (drop (array.new_default $a (i32.const 100000000)))))',
      ),
    ...refused,
  },
  {
    name: "a typed step whose export is a program's",
    artifact: () =>
      wat(`(component (core module $m (func (export "run") (result i32) (i32.const 0))) (core instance $i (instantiate $m))
        (func $run (result (result)) (canon lift (core func $i "run")))
        (instance $r (export "run" (func $run))) (export "millrace:step/handler@0.1.0" (instance $r)))`),
    refused: true,
    code: "ERR_COMPONENT_EXPORT",
  },
  {
    name: "a component around a component",
    artifact: async () => Buffer.concat([componentPreamble, section(4, await program("(i32.const 0)"))]),
    refused: true,
    code: "ERR_COMPONENT_EXPORT",
  },
  {
    name: "two of what may be there once",
    artifact: async () => {
      const bytes = await typed("(call $ok (i32.const 4096) (i32.const 1))");
      return Buffer.concat([bytes, bytes.subarray(8)]);
    },
    ...refused,
  },
];
