import { command, printing, text, typed } from "../components.ts";
import type { Attack } from "./attack.ts";

const returning =
  (content: string): (() => Promise<Uint8Array>) =>
  () =>
    typed(`(call $ok (i32.const 4096) (i32.const ${Buffer.byteLength(content.replaceAll("\\\\", "\\"))}))`, {
      declarations: text(content),
    });

/** Prints `opening` and then `closing`, `depth` times each. */
const nested =
  (opening: string, closing: string, depth: number): (() => Promise<Uint8Array>) =>
  () =>
    command(
      `(drop (memory.grow (i32.const ${Math.ceil((2 * depth) / 65_536) + 1})))
     (memory.fill (i32.const 16384) (i32.const ${opening.charCodeAt(0)}) (i32.const ${depth}))
     (memory.fill (i32.const ${16_384 + depth}) (i32.const ${closing.charCodeAt(0)}) (i32.const ${depth}))
     (call $put (i32.const 1) (i32.const 16384) (i32.const ${2 * depth}))`,
    );

const invalid = "ERR_STEP_OUTPUT_INVALID";

/** Outputs that would harm who handles them later. */
export const outputAttacks: readonly Attack[] = [
  ...["NaN", "Infinity", "-Infinity", "undefined", "0x10", "1e999", "[1,]", "'a'", "{a:1}"].map(
    (content): Attack => ({ name: `${content} as JSON`, artifact: returning(content), code: invalid }),
  ),
  { name: "NaN as text", artifact: () => printing("NaN"), output: "NaN" },
  { name: "a number beyond a double", artifact: () => printing('{"a":[1e400]}'), code: invalid },
  { name: "a number of 400 digits", artifact: () => printing(`[${"9".repeat(400)}]`), code: invalid },
  { name: "a lone surrogate as an escape", artifact: returning(String.raw`"\\ud800"`), output: "\ud800" },
  {
    name: "a lone surrogate in bytes that are no UTF-8",
    artifact: () =>
      command("(call $put (i32.const 1) (i32.const 4096) (i32.const 5))", {
        declarations: String.raw`(data (i32.const 4096) "\22\ed\a0\80\22")`,
      }),
    output: "\ufffd\ufffd\ufffd",
  },
  {
    name: "a byte order mark",
    artifact: () =>
      command("(call $put (i32.const 1) (i32.const 4096) (i32.const 4))", {
        declarations: String.raw`(data (i32.const 4096) "\ef\bb\bf1")`,
      }),
    output: "\ufeff1",
  },
  {
    name: "zero bytes",
    artifact: () => command("(call $put (i32.const 1) (i32.const 16384) (i32.const 3))"),
    output: "\0\0\0",
  },
  {
    name: "__proto__ and constructor as keys",
    artifact: returning('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}'),
    output: JSON.parse('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}') as never,
  },
  { name: "lists 1,001 deep", artifact: nested("[", "]", 1001), code: invalid, message: /1000 levels/ },
  { name: "lists 100,000 deep", artifact: nested("[", "]", 100_000), code: invalid, message: /1000 levels/ },
  {
    name: "lists 1,000,000 deep",
    artifact: nested("[", "]", 1_000_000),
    code: invalid,
    message: /1000 levels/,
  },
  {
    name: "objects 1,000,000 deep, never closed",
    artifact: nested("{", "{", 500_000),
    output: "{".repeat(1_000_000),
  },
];
