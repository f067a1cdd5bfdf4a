import { MalformedBinary, leb } from "../binary.ts";
import { append, named, readCoreModule, replaceSections } from "./core-module.ts";
import type { Extent } from "./core-module.ts";
import { growHookExport, startExport, watchGrowth } from "./growth.ts";
import { webAssembly } from "./webassembly.ts";

/** The module name under which a module imports the memories that it would have defined. */
export const memoryImport = "millrace:memory";

/** A table may grow up to this many elements, unless it begins with more. */
const tableElements = 16_384;

/** What one instance of a core module takes. */
export interface Footprint {
  /** The memories that the host gives it, in pages of 64 KiB. */
  readonly memories: readonly Extent[];
  /** What its tables can come to. */
  readonly tableElements: number;
}

/** A core module that stays within bounds. */
export interface BoundedModule {
  readonly bytes: Uint8Array;
  readonly footprint: Footprint;
}

/** Makes a core module take its memories from the host, ask before it grows one, and have tables with a maximum. */
export function boundModule(bytes: Uint8Array): BoundedModule {
  checkModule(bytes);
  const { memories, ownTables } = readCoreModule(bytes);
  return {
    bytes: importMemories(capTables(watchGrowth(bytes))),
    footprint: {
      memories,
      tableElements: ownTables.reduce((sum, { minimum }) => sum + Math.max(minimum, tableElements), 0),
    },
  };
}

/**
 * Refuses a module that is not valid as it came: what is added to it below may only be named by what is added, so that
 * a module that names indices or names that it does not have must not get as far as that.
 */
function checkModule(bytes: Uint8Array): void {
  let module;
  try {
    module = new webAssembly.Module(bytes);
  } catch (error) {
    throw new MalformedBinary(`a core module of it is not valid: ${(error as Error).message}`);
  }
  const imports = webAssembly.Module.imports(module);
  const names = [...imports, ...webAssembly.Module.exports(module)].map(({ name }) => name);
  const own = names.find((name) => name === growHookExport || name === startExport);
  const reserved = own ?? imports.find((it) => it.module === memoryImport)?.module;
  if (reserved !== undefined)
    throw new MalformedBinary(`it uses the name ${reserved}, which is the engine's own`);
}

/**
 * Turns the memories that a module defines into imports behind the ones it has: their indices stay the same. So the
 * limit of an attempt need not be compiled in, and a memory can be used again once it is wiped.
 */
function importMemories(bytes: Uint8Array): Uint8Array {
  const { sections, memories } = readCoreModule(bytes);
  if (memories.length === 0) return bytes;
  const imports = memories.map(({ minimum, maximum }, index) => [
    ...named(memoryImport),
    ...named(String(index)),
    0x02,
    ...(maximum === undefined ? [0x00, ...leb(minimum)] : [0x01, ...leb(minimum), ...leb(maximum)]),
  ]);
  const section = sections.find(({ id }) => id === 2);
  const old = section ? bytes.subarray(section.start, section.end) : Uint8Array.of(0);
  return replaceSections(
    bytes,
    sections,
    new Map<number, Uint8Array | "none">([
      [2, append(old, imports)],
      [5, "none"],
    ]),
  );
}

/** Gives each table a maximum. */
function capTables(bytes: Uint8Array): Uint8Array {
  const { sections, ownTables } = readCoreModule(bytes);
  if (ownTables.length === 0) return bytes;
  const tables = ownTables.map(({ type, minimum, maximum = tableElements }) => {
    const cap = Math.max(minimum, Math.min(maximum, tableElements));
    return [...type, 0x01, ...leb(minimum), ...leb(cap)];
  });
  return replaceSections(bytes, sections, new Map([[4, vector(tables)]]));
}

function vector(items: readonly (readonly number[])[]): Uint8Array {
  return Uint8Array.from([...leb(items.length), ...items.flat()]);
}
