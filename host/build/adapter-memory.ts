import { leb, preambleLength, readBinary, type Section, sections } from "../../runtime/wasm/binary.ts";
import { encodeSection, signedLeb } from "./module-encoding.ts";

/** What stands before the address of the memory. */
const mark = "millrace adapter memory";

/** Bytes of it, for all that an attempt gets from its host; and 128 KiB that the adapter of WASI works with. */
const size = 8 * 1024 * 1024;

/**
 * A file of a Go package that puts memory by, of which the host and the adapter of WASI take theirs. Go's runtime can
 * give them none: it would have to run, which it must not while it gets its input, nor can it before it has begun. What
 * a variable holds is the only part of the memory that it leaves alone.
 */
export const adapterMemoryGo = `package main

var millraceAdapterMemory [${size}]byte

var millraceAdapter = struct {
	mark   [${mark.length + 1}]byte
	memory *[${size}]byte
}{[${mark.length + 1}]byte{${[...Buffer.from(mark)].join(", ")}}, &millraceAdapterMemory}

func init() {
	if millraceAdapter.memory == nil {
		panic("the adapter of WASI has no memory")
	}
}
`;

/** The exports by which the host and the adapter get memory. */
const exported = ["cabi_realloc", "cabi_realloc_adapter"];

const i32 = 0x7f;

/** The core module of a Go program with a function that gives its host and the adapter of WASI what was put by. */
export function withAdapterMemory(module: Uint8Array): Uint8Array {
  const found = sections(module);
  const first = addressAtMark(module, found);
  if (first === undefined) throw new Error("the module has no memory that was put by for the adapter");
  const count = (id: number): number => countOf(module, found, id);
  // Go imports functions alone.
  const functions = count(2) + count(3);
  const added: Readonly<Record<number, readonly number[]>> = {
    1: [0x60, 4, i32, i32, i32, i32, 1, i32],
    3: leb(count(1)),
    6: [i32, 1, 0x41, ...signedLeb(first), 0x0b],
    10: body(count(6), first + size),
  };
  const parts = found.map(({ id, start, end }) => {
    const more = added[id];
    const content = module.subarray(start, end);
    if (id === 7) return encodeSection(id, withExports(content, functions));
    return encodeSection(id, more === undefined ? content : appended(content, more));
  });
  return Buffer.concat([module.subarray(0, preambleLength), ...parts]);
}

/** Takes the next aligned bytes, up to `end`: (old, oldSize, align, size) → address. Nothing is given back. */
function body(next: number, end: number): readonly number[] {
  const code = [
    // if (oldSize >= size) return old
    [0x20, 1, 0x20, 3, 0x4f, 0x04, 0x40, 0x20, 0, 0x0f, 0x0b],
    // address = (next + align - 1) & -align
    [0x23, ...leb(next), 0x20, 2, 0x6a, 0x41, 1, 0x6b, 0x41, 0, 0x20, 2, 0x6b, 0x71, 0x21, 4],
    // if (size > end - address) unreachable
    [0x20, 3, 0x41, ...signedLeb(end), 0x20, 4, 0x6b, 0x4b, 0x04, 0x40, 0x00, 0x0b],
    // next = address + size
    [0x20, 4, 0x20, 3, 0x6a, 0x24, ...leb(next)],
    // copy oldSize bytes from old to address
    [0x20, 4, 0x20, 0, 0x20, 1, 0xfc, 0x0a, 0, 0],
    [0x20, 4, 0x0b],
  ].flat();
  const withLocals = [1, 1, i32, ...code];
  return [...leb(withLocals.length), ...withLocals];
}

/** The exports with those of the function, in place of what has their names. */
function withExports(content: Uint8Array, functionIndex: number): Uint8Array {
  const reader = readBinary(content);
  const entries = exported.map((name) => [...nameOf(name), 0, ...leb(functionIndex)]);
  for (let left = reader.u32(); left > 0; left--) {
    const start = reader.at;
    const name = reader.name();
    reader.byte();
    reader.u32();
    if (!exported.includes(name)) entries.push([...content.subarray(start, reader.at)]);
  }
  return Uint8Array.from([...leb(entries.length), ...entries.flat()]);
}

/** The address behind the mark, which is in one of the active data segments. */
function addressAtMark(module: Uint8Array, found: readonly Section[]): number | undefined {
  const data = found.find(({ id }) => id === 11);
  if (data === undefined) return undefined;
  const reader = readBinary(module, data.start, data.end);
  for (let left = reader.u32(); left > 0; left--) {
    if (reader.u32() !== 0 || reader.byte() !== 0x41) return undefined;
    reader.skipLeb();
    reader.byte();
    const length = reader.u32();
    const bytes = Buffer.from(module.buffer, module.byteOffset + reader.at, length);
    const at = bytes.indexOf(`${mark}\0`);
    if (at >= 0) return bytes.readUInt32LE(at + mark.length + 1);
    reader.skip(length);
  }
  return undefined;
}

function countOf(module: Uint8Array, found: readonly Section[], wanted: number): number {
  const section = found.find(({ id }) => id === wanted);
  return section === undefined ? 0 : readBinary(module, section.start, section.end).u32();
}

function appended(content: Uint8Array, more: readonly number[]): Uint8Array {
  const reader = readBinary(content);
  const count = reader.u32();
  return Buffer.concat([Uint8Array.from(leb(count + 1)), content.subarray(reader.at), Uint8Array.from(more)]);
}

function nameOf(text: string): readonly number[] {
  const bytes = [...Buffer.from(text)];
  return [...leb(bytes.length), ...bytes];
}
