import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { componentize } from "componentize-qjs";
import { beforeAll, describe, expect, test } from "vitest";
import { decodeComponent } from "../../../../runtime/wasm/v8/component/decode.ts";
import type { Instantiation } from "../../../../runtime/wasm/v8/component/instance.ts";
import { linkComponent } from "../../../../runtime/wasm/v8/component/link.ts";
import type { LinkedComponent } from "../../../../runtime/wasm/v8/component/link.ts";
import type { StepWorld } from "../../../../runtime/wasm/v8/wasi/world.ts";
import { webAssembly } from "../../../../runtime/wasm/v8/webassembly.ts";
import { createInterfaces } from "../../../../runtime/wasm/v8/wasi/wasi.ts";

/** Functions by their name: the type of what they take and return. */
const types: Readonly<Record<string, string>> = {
  bool: "bool",
  u8: "u8",
  s8: "s8",
  u16: "u16",
  s16: "s16",
  u32: "u32",
  s32: "s32",
  u64: "u64",
  s64: "s64",
  f32: "f32",
  f64: "f64",
  char: "char",
  string: "string",
  bytes: "list<u8>",
  strings: "list<string>",
  records: "list<point>",
  point: "point",
  wide: "wide",
  tuple: "tuple<u8, string, u64>",
  shape: "shape",
  color: "color",
  access: "access",
  maybe: "option<string>",
  twice: "option<option<u8>>",
  outcome: "result<u32, string>",
  bare: "result",
  floats: "result<f32, u64>",
};

/** Values as codecs have them, for each of the types. */
const values: readonly (readonly [name: string, ...values: readonly unknown[]])[] = [
  ["bool", true, false],
  ["u8", 0, 255],
  ["s8", -128, 127],
  ["u16", 0, 65_535],
  ["s16", -32_768, 32_767],
  ["u32", 0, 4_294_967_295],
  ["s32", -2_147_483_648, 2_147_483_647],
  // The guest has it as a number.
  ["u64", 0n, 9_007_199_254_740_991n],
  ["s64", -9_223_372_036_854_775_808n, 9_223_372_036_854_775_807n],
  ["f32", 0, -1.5, Number.POSITIVE_INFINITY, Number.NaN],
  ["f64", Math.PI, Number.MIN_VALUE, Number.NaN],
  ["char", 0x61, 0x1f44b],
  ["string", "", "plain", "Grüße, 世界 👋 \u0000", "x".repeat(100_000)],
  ["bytes", new Uint8Array(), Uint8Array.of(0, 1, 255), new Uint8Array(100_000).fill(7)],
  ["strings", [], ["", "a", "Grüße"]],
  [
    "records",
    [
      [1, -2.5, "here"],
      [3, 4, ""],
    ],
  ],
  ["point", [7, -0.25, "named"]],
  ["wide", [true, 1n, 2, 3n, 4, 5n, "six", 7n, 8, "nine", 10n]],
  ["tuple", [1, "two", 3n]],
  ["shape", [0, undefined], [1, 2.5], [2, [1, 2, "corner"]], [3, "text"]],
  ["color", 0, 2],
  ["access", 0, 1, 0b1010, 0b1_1111_1111],
  ["maybe", [0, undefined], [1, "some"]],
  ["twice", [0, undefined], [1, [0, undefined]], [1, [1, 5]]],
  ["outcome", [0, 42], [1, "why"]],
  ["bare", [0, undefined], [1, undefined]],
  ["floats", [0, 1.5], [1, 9_007_199_254_740_991n]],
];

const wit = `
  package test:abi@1.0.0;
  interface types {
    record point { x: u8, y: f64, name: string }
    record wide { a: bool, b: u64, c: u8, d: s64, e: u16, f: u64, g: string, h: u64, i: u32, j: string, k: u64 }
    variant shape { nothing, circle(f32), corner(point), label(string) }
    enum color { red, green, blue }
    flags access { a, b, c, d, e, f, g, h, i }
  }
  interface host {
    use types.{point, wide, shape, color, access};
    ${Object.entries(types)
      .map(([name, type]) => `echo-${name}: func(value: ${type}) -> ${type};`)
      .join("\n")}
  }
  interface guest {
    use types.{point, wide, shape, color, access};
    ${Object.entries(types)
      .map(([name, type]) => `echo-${name}: func(value: ${type}) -> ${type};`)
      .join("\n")}
  }
  world abi { import host; export guest; }`;

const camel = (name: string): string =>
  name.replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase());

const script = `
  import * as host from "test:abi/host@1.0.0";
  export const guest = {
    ${Object.keys(types)
      .map((name) => `${camel(`echo-${name}`)}: (value) => host.${camel(`echo-${name}`)}(value),`)
      .join("\n")}
  };`;

// What a function of the host was called with.
const seen: unknown[] = [];

const world: StepWorld = {
  args: [],
  env: [],
  stdin: { read: () => undefined },
  stdout: { write: () => undefined },
  stderr: { write: () => undefined },
  log: () => undefined,
  exit: () => {
    throw new Error("exit");
  },
  threw: () => undefined,
  ambient: {
    wallClock: () => 0n,
    monotonicClock: () => 0n,
    random: () => undefined,
    waitUntil: () => undefined,
  },
  memoryBytes: 2 ** 26,
};

describe("values pass to a guest, from it to the host, and all the way back:", () => {
  let linked: LinkedComponent;
  let modules: readonly Uint8Array[];

  beforeAll(async () => {
    const folder = mkdtempSync(join(tmpdir(), "millrace-abi-"));
    try {
      writeFileSync(join(folder, "abi.wit"), wit);
      const { component } = await componentize({
        witPath: folder,
        world: "abi",
        jsSource: script,
        sync: true,
      });
      const decoded = decodeComponent(component);
      modules = decoded.modules;
      const wasi = createInterfaces();
      linked = linkComponent(decoded.component, {
        resource: wasi.resource,
        func: (interfaceName, name, signature) =>
          interfaceName.startsWith("test:abi/")
            ? (_, [value]) => {
                seen.push(structuredClone(value));
                return value instanceof Uint8Array ? value.slice() : value;
              }
            : wasi.func(interfaceName, name, signature),
      });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  const call = (name: string, ...args: unknown[]): unknown => {
    const instantiation: Instantiation = {
      world,
      core: [],
      instances: [],
      instantiate(number, imports) {
        return new webAssembly.Instance(new webAssembly.Module(modules[number] ?? new Uint8Array()), imports)
          .exports;
      },
    };
    for (const step of linked.steps) step(instantiation);
    const instance = linked.exports.get("test:abi/guest@1.0.0");
    const item = instance?.is === "instance" ? instance.exports.get(name) : undefined;
    if (item?.is !== "func") throw new Error(`no function ${name}`);
    return item.call(instantiation, args);
  };

  test.each(values.map(([name, ...samples]) => ({ name, samples })))("$name", ({ name, samples }) => {
    for (const sample of samples) {
      seen.length = 0;
      expect(call(`echo-${name}`, sample)).toEqual(sample);
      expect(seen).toEqual([sample]);
    }
  });
});
