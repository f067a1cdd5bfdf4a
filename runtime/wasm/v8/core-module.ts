import { MalformedBinary, leb, preambleLength, readBinary, sections } from "../binary.ts";
import type { BinaryReader, Section } from "../binary.ts";

/** Minimum and, where there is one, maximum of a memory (in pages of 64 KiB) or table (in elements). */
export interface Extent {
  readonly minimum: number;
  readonly maximum?: number;
}

/** What has to be known of a core module to bound it. Counts include imports where they share an index space. */
export interface CoreModule {
  readonly sections: readonly Section[];
  readonly types: number;
  readonly functions: number;
  readonly importedFunctions: number;
  readonly tables: number;
  /** The memories that it defines. */
  readonly memories: readonly Extent[];
  readonly importedMemories: number;
  /** The tables that it defines, with the encoded type of each. */
  readonly ownTables: readonly (Extent & { readonly type: readonly number[] })[];
}

/** The ids of sections, in the order in which they must stand (custom sections, id 0, stand anywhere). */
const sectionOrder = [1, 2, 3, 4, 5, 13, 6, 7, 8, 9, 12, 10, 11] as const;

/**
 * Reads a core module's declarations. Throws MalformedBinary for what this engine does not run because it could not
 * bound it: garbage-collected types, 64-bit and shared memories and tables.
 */
export function readCoreModule(bytes: Uint8Array): CoreModule {
  const found = sections(bytes);
  const readerOf = (id: number): BinaryReader | undefined => {
    const section = found.find((section) => section.id === id);
    return section && readBinary(bytes, section.start, section.end);
  };
  const imported = readImports(readerOf(2));
  const ownTables = many(readerOf(4), readTable);
  return {
    sections: found,
    types: countTypes(readerOf(1)),
    functions: imported.functions + (readerOf(3)?.u32() ?? 0),
    importedFunctions: imported.functions,
    tables: imported.tables + ownTables.length,
    memories: many(readerOf(5), readExtent),
    importedMemories: imported.memories,
    ownTables,
  };
}

function many<T>(reader: BinaryReader | undefined, read: (reader: BinaryReader) => T): readonly T[] {
  const found: T[] = [];
  if (reader !== undefined) for (let left = reader.u32(); left > 0; left--) found.push(read(reader));
  return found;
}

/** Recursion groups hold several types each. */
function countTypes(reader: BinaryReader | undefined): number {
  if (reader === undefined) return 0;
  let count = 0;
  for (let left = reader.u32(); left > 0; left--) {
    const form = reader.byte();
    let members = 1;
    let next: number | undefined = form;
    if (form === 0x4e) {
      members = reader.u32();
      next = undefined;
    }
    for (let member = 0; member < members; member++) {
      skipSubtype(reader, next ?? reader.byte());
      next = undefined;
    }
    count += members;
  }
  return count;
}

function skipSubtype(reader: BinaryReader, form: number): void {
  let composite = form;
  if (form === 0x50 || form === 0x4f) {
    for (let left = reader.u32(); left > 0; left--) reader.skipLeb();
    composite = reader.byte();
  }
  if (composite === 0x5e || composite === 0x5f) {
    throw new MalformedBinary("it uses garbage-collected types, whose memory this engine can't bound");
  }
  if (composite !== 0x60)
    throw new MalformedBinary(`it has a type of an unknown form (0x${composite.toString(16)})`);
  for (const _ of ["parameters", "results"]) {
    for (let left = reader.u32(); left > 0; left--) readValueType(reader);
  }
}

function readValueType(reader: BinaryReader): readonly number[] {
  const first = reader.byte();
  if (first !== 0x63 && first !== 0x64) return [first];
  const type = [first];
  for (;;) {
    const next = reader.byte();
    type.push(next);
    if (next < 0x80) return type;
  }
}

function readExtent(reader: BinaryReader): Extent {
  const flags = reader.byte();
  if ((flags & 0x04) !== 0)
    throw new MalformedBinary("it uses 64-bit memory, which this engine does not run");
  if ((flags & 0x02) !== 0)
    throw new MalformedBinary("it uses shared memory (threads), which this engine does not run");
  if (flags > 1) throw new MalformedBinary("it uses a kind of memory that this engine does not run");
  const minimum = reader.u32();
  return flags === 1 ? { minimum, maximum: reader.u32() } : { minimum };
}

function readTable(reader: BinaryReader): Extent & { readonly type: readonly number[] } {
  const type = readValueType(reader);
  if (type[0] === 0x40)
    throw new MalformedBinary("it has a table with an initial value, which this engine does not run");
  return { type, ...readExtent(reader) };
}

function readImports(reader: BinaryReader | undefined): {
  functions: number;
  tables: number;
  memories: number;
} {
  const count = { functions: 0, tables: 0, memories: 0 };
  if (reader === undefined) return count;
  for (let left = reader.u32(); left > 0; left--) {
    reader.name();
    reader.name();
    const kind = reader.byte();
    if (kind === 0x00) {
      reader.skipLeb();
      count.functions++;
    } else if (kind === 0x01) {
      readTable(reader);
      count.tables++;
    } else if (kind === 0x02) {
      readExtent(reader);
      count.memories++;
    } else if (kind === 0x03) {
      readValueType(reader);
      reader.byte();
    } else if (kind === 0x04) {
      reader.byte();
      reader.skipLeb();
    } else throw new MalformedBinary(`it has an import of an unknown kind (${kind})`);
  }
  return count;
}

/** Sections' contents by id, to be replaced or added; "none" leaves the section out. */
export type Replacements = ReadonlyMap<number, Uint8Array | "none">;

/** The module with some of its sections replaced, added or left out. */
export function replaceSections(
  bytes: Uint8Array,
  found: readonly Section[],
  replacements: Replacements,
): Uint8Array {
  const parts: Uint8Array[] = [bytes.subarray(0, preambleLength)];
  const pending = new Map(replacements);
  const add = (id: number, content: Uint8Array | "none"): void => {
    if (content !== "none") parts.push(sectionHeader(id, content.length), content);
    pending.delete(id);
  };
  for (const { id, start, end } of found) {
    const place = sectionOrder.indexOf(id as (typeof sectionOrder)[number]);
    // New sections go in front of the first that must stand behind them.
    for (const earlier of sectionOrder.slice(0, Math.max(0, place))) {
      const content = found.some((section) => section.id === earlier) ? undefined : pending.get(earlier);
      if (content !== undefined) add(earlier, content);
    }
    add(id, (place === -1 ? undefined : replacements.get(id)) ?? bytes.subarray(start, end));
  }
  for (const id of sectionOrder) {
    const content = pending.get(id);
    if (content !== undefined) add(id, content);
  }
  return Buffer.concat(parts);
}

function sectionHeader(id: number, length: number): Uint8Array {
  return Uint8Array.from([id, ...leb(length)]);
}

/** A name as a module has it: its length, then UTF-8. */
export function named(name: string): readonly number[] {
  return [...leb(name.length), ...Buffer.from(name)];
}

/** A vector with items added at its end. */
export function append(old: Uint8Array, items: readonly (readonly number[])[]): Uint8Array {
  const reader = readBinary(old);
  const count = reader.u32() + items.length;
  return Buffer.concat([Uint8Array.from(leb(count)), old.subarray(reader.at), Uint8Array.from(items.flat())]);
}
