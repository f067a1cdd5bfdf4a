import { MalformedBinary } from "../../binary.ts";
import type { BinaryReader } from "../../binary.ts";
import type {
  CoreSort,
  Declaration,
  ExternDefinition,
  Primitive,
  Sort,
  TypeDefinition,
  ValueRef,
} from "./definition.ts";
import { checkLabel } from "./label.ts";

/** Primitive types by their encoding. */
const primitives: Readonly<Record<number, Primitive>> = {
  0x7f: "bool",
  0x7e: "s8",
  0x7d: "u8",
  0x7c: "s16",
  0x7b: "u16",
  0x7a: "s32",
  0x79: "u32",
  0x78: "s64",
  0x77: "u64",
  0x76: "f32",
  0x75: "f64",
  0x74: "char",
  0x73: "string",
};

const coreSorts: Readonly<Record<number, CoreSort>> = {
  0x00: "func",
  0x01: "table",
  0x02: "memory",
  0x03: "global",
  0x10: "type",
  0x11: "module",
  0x12: "instance",
};

const sorts: Readonly<Record<number, Sort>> = {
  0x01: "func",
  0x03: "type",
  0x04: "component",
  0x05: "instance",
};

/** Reads a vector of whatever `read` reads. */
export function vector<T>(reader: BinaryReader, read: (reader: BinaryReader) => T): readonly T[] {
  const items: T[] = [];
  for (let left = reader.u32(); left > 0; left--) items.push(read(reader));
  return items;
}

/** The complaint about something that is valid perhaps, but not for this engine. */
export function unsupported(what: string, reader: BinaryReader): never {
  throw new MalformedBinary(`${what} at byte ${reader.at - 1}, which this engine does not run`);
}

export function readCoreSort(reader: BinaryReader): Sort {
  const code = reader.byte();
  const sort = coreSorts[code] ?? unsupported(`it names a core item of sort ${code}`, reader);
  return `core ${sort}`;
}

export function readSort(reader: BinaryReader): Sort {
  const code = reader.byte();
  return code === 0x00
    ? readCoreSort(reader)
    : (sorts[code] ?? unsupported(`it names an item of sort ${code}`, reader));
}

/** An import's or export's name, behind a byte that says in which of the format's versions it is written. */
export function readExternName(reader: BinaryReader): string {
  const form = reader.byte();
  if (form > 0x01) unsupported("it has a name with a version suffix", reader);
  return reader.name();
}

export function readExtern(reader: BinaryReader): ExternDefinition {
  const code = reader.byte();
  switch (code) {
    case 0x00:
      if (reader.byte() !== 0x11) unsupported("it has an unknown kind of core import", reader);
      return { is: "core module", type: reader.u32() };
    case 0x01:
      return { is: "func", type: reader.u32() };
    case 0x03:
      return readTypeBound(reader);
    case 0x04:
      return { is: "component", type: reader.u32() };
    case 0x05:
      return { is: "instance", type: reader.u32() };
    default:
      return unsupported(`it has an import or export of kind ${code}`, reader);
  }
}

function readTypeBound(reader: BinaryReader): ExternDefinition {
  const code = reader.byte();
  if (code > 0x01) unsupported(`it has a type with a bound of kind ${code}`, reader);
  return code === 0x00 ? { is: "type", equals: reader.u32() } : { is: "resource" };
}

/** A primitive is one byte with bit 6 set, as a negative number; an index has none there. */
function readValue(reader: BinaryReader): ValueRef {
  const code = reader.peek();
  if ((code & 0xc0) !== 0x40) return reader.u32();
  reader.byte();
  return primitives[code] ?? unsupported(`it has a value of type 0x${code.toString(16)}`, reader);
}

const readOptional = (reader: BinaryReader): ValueRef | null =>
  reader.byte() === 0x00 ? null : readValue(reader);

function readLabel(reader: BinaryReader): string {
  const name = reader.name();
  checkLabel(name);
  return name;
}

const readField = (reader: BinaryReader): readonly [string, ValueRef] => [
  readLabel(reader),
  readValue(reader),
];

function readCase(reader: BinaryReader): readonly [string, ValueRef | null] {
  const entry = [readLabel(reader), readOptional(reader)] as const;
  if (reader.byte() !== 0x00) unsupported("it has a variant case that refines another", reader);
  return entry;
}

/** A defined type: a value type, a resource, or the type of a function, instance or component. */
export function readType(reader: BinaryReader): TypeDefinition {
  const code = reader.byte();
  const primitive = primitives[code];
  if (primitive !== undefined) return { is: "primitive", of: primitive };
  switch (code) {
    case 0x72:
      return { is: "record", fields: vector(reader, readField) };
    case 0x71:
      return { is: "variant", cases: vector(reader, readCase) };
    case 0x70:
      return { is: "list", of: readValue(reader) };
    case 0x6f:
      return { is: "tuple", of: vector(reader, readValue) };
    case 0x6e:
      return readFlags(reader);
    case 0x6d:
      return { is: "enum", labels: vector(reader, readLabel) };
    case 0x6b:
      return { is: "option", of: readValue(reader) };
    case 0x6a:
      return { is: "result", ok: readOptional(reader), err: readOptional(reader) };
    case 0x69:
      return { is: "own", resource: reader.u32() };
    case 0x68:
      return { is: "borrow", resource: reader.u32() };
    case 0x3f:
      return readResource(reader);
    case 0x40:
      return { is: "function", params: vector(reader, readField), result: readResult(reader) };
    case 0x41:
      vector(reader, readComponentDeclaration);
      return { is: "component" };
    case 0x42:
      return { is: "instance", declarations: vector(reader, readDeclaration) };
    default:
      return unsupported(`it has a type of kind 0x${code.toString(16)}`, reader);
  }
}

function readFlags(reader: BinaryReader): TypeDefinition {
  const labels = vector(reader, readLabel);
  if (labels.length > 32) unsupported(`it has ${labels.length} flags in one type`, reader);
  return { is: "flags", labels };
}

function readResource(reader: BinaryReader): TypeDefinition {
  if (reader.byte() !== 0x7f) unsupported("it has a resource that is not represented by an i32", reader);
  return { is: "resource", destructor: reader.byte() === 0x00 ? null : reader.u32() };
}

function readResult(reader: BinaryReader): ValueRef | null {
  if (reader.byte() === 0x00) return readValue(reader);
  if (reader.u32() !== 0) unsupported("it has a function with named results", reader);
  return null;
}

function readDeclaration(reader: BinaryReader): Declaration {
  const code = reader.byte();
  switch (code) {
    case 0x00:
      return skipCoreType(reader);
    case 0x01:
      return { is: "type", type: readType(reader) };
    case 0x02: {
      const alias = readAlias(reader);
      return alias.is === "alias core export"
        ? unsupported("it has a type that names a core item", reader)
        : alias;
    }
    case 0x04:
      return { is: "export", name: readExternName(reader), item: readExtern(reader) };
    default:
      return unsupported(`it has a type with a declaration of kind ${code}`, reader);
  }
}

/** A component's type declares imports too. */
function readComponentDeclaration(reader: BinaryReader): Declaration {
  if (reader.peek() !== 0x03) return readDeclaration(reader);
  reader.byte();
  return { is: "export", name: readExternName(reader), item: readExtern(reader) };
}

/** An alias, in a type or a component. */
export function readAlias(
  reader: BinaryReader,
): Extract<Declaration, { is: "alias outer" | "alias export" }> | CoreExportAlias {
  const sort = readSort(reader);
  const target = reader.byte();
  if (target === 0x00) return { is: "alias export", sort, instance: reader.u32(), name: reader.name() };
  if (target === 0x01) return { is: "alias core export", sort, instance: reader.u32(), name: reader.name() };
  if (target !== 0x02) unsupported(`it has an alias of kind ${target}`, reader);
  return { is: "alias outer", sort, outward: reader.u32(), index: reader.u32() };
}

interface CoreExportAlias {
  readonly is: "alias core export";
  readonly sort: Sort;
  readonly instance: number;
  readonly name: string;
}

/** Core types stand in module types only, which nothing here needs. */
function skipCoreType(reader: BinaryReader): Declaration {
  return unsupported("it has a core type inside of a type", reader);
}
