import { leb, type BinaryReader, readBinary, type Section, sections } from "../../runtime/wasm/binary.ts";
import { encodeSection, signedLeb } from "./module-encoding.ts";

/** What a program holds in one core module: its memory, and its globals that are exported. */
export interface CoreState {
  readonly memory: Uint8Array;
  /** By the names of their exports. */
  readonly globals: ReadonlyMap<string, number>;
}

const pageBytes = 65_536;

/** The export by which the module is known that holds a component's memory. */
export const stateExport = "__stack_pointer";

/**
 * Zeros that stand between two data segments; fewer are a part of one. Few segments are faster to put in place, many
 * zeros are more to copy: with 256 a QuickJS component has some 20 segments and is 3 % larger than with 10,000.
 */
const gap = 256;

/**
 * The component with another beginning: its memory and globals start as `state` has them. This is what Wizer does,
 * for a component that Wizer was over already: all that it holds is in the one core module that has the memory.
 */
export function withState(component: Uint8Array, state: CoreState): Uint8Array {
  const { bytes, found } = replaceState(component, state);
  if (!found) throw new Error("the component has no core module that holds its memory");
  return bytes;
}

/** The core module with a bound on the memory that it has, in bytes; as it is when it has none. */
export function boundMemory(module: Uint8Array, mostBytes: number): Uint8Array {
  const parts = sections(module).map(({ id, start, end }) => {
    if (id !== 5) return encodeSection(id, module.subarray(start, end));
    const reader = readBinary(module, start, end);
    if (reader.u32() !== 1) throw new Error("the module has more than one memory");
    reader.byte();
    return encodeSection(id, Uint8Array.from([1, 1, ...leb(reader.u32()), ...leb(mostBytes / pageBytes)]));
  });
  return Buffer.concat([module.subarray(0, 8), ...parts]);
}

function replaceState(
  bytes: Uint8Array,
  state: CoreState,
): { readonly bytes: Uint8Array; readonly found: boolean } {
  let found = false;
  const replace = ({ id, start, end }: Section): Uint8Array => {
    const content = bytes.subarray(start, end);
    if (found || (id !== 1 && id !== 4)) return content;
    if (id === 1) {
      found = holdsState(content);
      return found ? moduleWithState(content, state) : content;
    }
    const inner = replaceState(content, state);
    ({ found } = inner);
    return inner.bytes;
  };
  const parts = sections(bytes).map((section) => encodeSection(section.id, replace(section)));
  return { bytes: Buffer.concat([bytes.subarray(0, 8), ...parts]), found };
}

function holdsState(module: Uint8Array): boolean {
  const found = sections(module);
  return found.some(({ id }) => id === 5) && globalExports(module, found).has(stateExport);
}

function moduleWithState(module: Uint8Array, state: CoreState): Uint8Array {
  const found = sections(module);
  if (found.some(({ id }) => id === 12)) throw new Error("the module that holds the memory has passive data");
  const names = globalExports(module, found);
  const parts = found.map(({ id, start, end }) => {
    const reader = readBinary(module, start, end);
    if (id === 5) return encodeSection(id, memorySection(reader, state.memory.length / pageBytes));
    if (id === 6) return encodeSection(id, globalSection(module, reader, names, state.globals));
    if (id === 11) return encodeSection(id, dataSection(state.memory));
    return encodeSection(id, module.subarray(start, end));
  });
  return Buffer.concat([module.subarray(0, 8), ...parts]);
}

/** The indices of exported globals by name. */
function globalExports(module: Uint8Array, found: readonly Section[]): ReadonlyMap<string, number> {
  const section = found.find(({ id }) => id === 7);
  const names = new Map<string, number>();
  if (section === undefined) return names;
  const reader = readBinary(module, section.start, section.end);
  for (let left = reader.u32(); left > 0; left--) {
    const name = reader.name();
    const kind = reader.byte();
    const index = reader.u32();
    if (kind === 3) names.set(name, index);
  }
  return names;
}

/** One memory of at least so many pages. */
function memorySection(reader: BinaryReader, pages: number): Uint8Array {
  if (reader.u32() !== 1) throw new Error("the module that holds the memory has more than one");
  const flags = reader.byte();
  reader.u32();
  return Uint8Array.from([1, flags, ...leb(pages), ...(flags === 1 ? leb(reader.u32()) : [])]);
}

function globalSection(
  module: Uint8Array,
  reader: BinaryReader,
  names: ReadonlyMap<string, number>,
  values: ReadonlyMap<string, number>,
): Uint8Array {
  const count = reader.u32();
  const byIndex = new Map([...names].map(([name, index]) => [index, values.get(name)]));
  const parts: Uint8Array[] = [Uint8Array.from(leb(count))];
  for (let index = 0; index < count; index++) {
    const start = reader.at;
    const type = reader.byte();
    const mutable = reader.byte();
    const opcode = reader.byte();
    reader.skipLeb();
    if (opcode !== 0x41 || reader.byte() !== 0x0b) throw new Error("a global does not begin as a constant");
    const value = mutable === 1 && type === 0x7f ? byIndex.get(index) : undefined;
    parts.push(
      value === undefined
        ? module.subarray(start, reader.at)
        : Uint8Array.from([type, mutable, 0x41, ...signedLeb(value), 0x0b]),
    );
  }
  return Buffer.concat(parts);
}

/** Active segments for all that is not zero. */
function dataSection(memory: Uint8Array): Uint8Array {
  const segments: Uint8Array[] = [];
  let count = 0;
  for (let at = nextNonZero(memory, 0); at < memory.length;) {
    const end = endOfRun(memory, at);
    segments.push(
      Uint8Array.from([0, 0x41, ...signedLeb(at), 0x0b, ...leb(end - at)]),
      memory.subarray(at, end),
    );
    count++;
    at = nextNonZero(memory, end);
  }
  return Buffer.concat([Uint8Array.from(leb(count)), ...segments]);
}

function nextNonZero(memory: Uint8Array, from: number): number {
  let at = from;
  while (at < memory.length && memory[at] === 0) at++;
  return at;
}

/** Behind the last byte that fewer than `gap` zeros separate from the one before. */
function endOfRun(memory: Uint8Array, from: number): number {
  let end = from + 1;
  for (let at = end; at < memory.length && at - end < gap; at++) if (memory[at] !== 0) end = at + 1;
  return end;
}
