import { MalformedBinary, readBinary, sections } from "../../binary.ts";
import type { BinaryReader } from "../../binary.ts";
import {
  readAlias,
  readCoreSort,
  readExtern,
  readExternName,
  readSort,
  readType,
  unsupported,
  vector,
} from "./decode-type.ts";
import type { CanonOptions, ComponentDefinition, Definition, Encoding, NamedItem } from "./definition.ts";

/** A component's definitions, and the bytes of its core modules. */
export interface DecodedComponent {
  readonly component: ComponentDefinition;
  readonly modules: readonly Uint8Array[];
}

/** Components nest no deeper than this. */
const deepest = 100;

/** Core modules of one component with all that it nests: each is compiled, and kept. */
const mostModules = 1_000;

/** Bytes of all definitions but core modules: in the host's own memory they come to a hundred times as much. */
const mostDefinitionBytes = 2 * 1024 * 1024;

interface Decoding {
  readonly modules: Uint8Array[];
  definitionBytes: number;
}

/** Decodes a component's binary. Throws MalformedBinary where it breaks, and for what this engine does not run. */
export function decodeComponent(bytes: Uint8Array): DecodedComponent {
  const decoding: Decoding = { modules: [], definitionBytes: 0 };
  return { component: decode(bytes, decoding, 0), modules: decoding.modules };
}

function decode(bytes: Uint8Array, decoding: Decoding, depth: number): ComponentDefinition {
  const { modules } = decoding;
  if (depth > deepest) throw new MalformedBinary("its components nest too deep");
  const definitions: Definition[] = [];
  for (const { id, start, end } of sections(bytes)) {
    const content = bytes.subarray(start, end);
    const reader = readBinary(bytes, start, end);
    if (id === 1) {
      definitions.push({ is: "core module", module: modules.push(content) - 1 });
      if (modules.length > mostModules) {
        throw new MalformedBinary(`it has more than ${mostModules} core modules`);
      }
    } else if (id === 4) {
      definitions.push({ is: "component", component: decode(content, decoding, depth + 1) });
    } else if (id !== 0 && id !== 3) {
      // Core types (3) are for types of core modules only, which nothing here looks at.
      decoding.definitionBytes += content.length;
      if (decoding.definitionBytes > mostDefinitionBytes) {
        throw new MalformedBinary(`its definitions have more than ${mostDefinitionBytes} bytes`);
      }
      const read = readers[id] ?? unsupported(`it has a section of kind ${id}`, reader);
      for (const definition of vector(reader, read)) definitions.push(definition);
      if (reader.at !== end)
        throw new MalformedBinary(`the section at byte ${start} is longer than what it holds`);
    }
  }
  return { definitions };
}

const readers: Readonly<Record<number, (reader: BinaryReader) => Definition>> = {
  2: readCoreInstance,
  5: readInstance,
  6: readAlias,
  7: (reader) => ({ is: "type", type: readType(reader) }),
  8: readCanon,
  10: (reader) => ({ is: "import", name: readExternName(reader), item: readExtern(reader) }),
  11: readExport,
};

function readCoreInstance(reader: BinaryReader): Definition {
  const form = reader.byte();
  if (form === 0x00) {
    return { is: "core instance", module: reader.u32(), args: vector(reader, readCoreArgument) };
  }
  if (form !== 0x01) unsupported(`it has a core instance of form ${form}`, reader);
  return {
    is: "core exports",
    exports: vector(reader, (it): NamedItem => [it.name(), readCoreSort(it), it.u32()]),
  };
}

function readCoreArgument(reader: BinaryReader): readonly [string, number] {
  const name = reader.name();
  if (reader.byte() !== 0x12)
    unsupported("it instantiates a core module with something else than instances", reader);
  return [name, reader.u32()];
}

function readInstance(reader: BinaryReader): Definition {
  const form = reader.byte();
  if (form === 0x00) {
    return {
      is: "instance",
      component: reader.u32(),
      args: vector(reader, (it): NamedItem => [it.name(), readSort(it), it.u32()]),
    };
  }
  if (form !== 0x01) unsupported(`it has an instance of form ${form}`, reader);
  return {
    is: "exports",
    exports: vector(reader, (it): NamedItem => [readExternName(it), readSort(it), it.u32()]),
  };
}

function readExport(reader: BinaryReader): Definition {
  const definition: Definition = {
    is: "export",
    name: readExternName(reader),
    sort: readSort(reader),
    index: reader.u32(),
  };
  // The type that it is to be seen with; what it is, is enough.
  if (reader.byte() === 0x01) readExtern(reader);
  return definition;
}

function readCanon(reader: BinaryReader): Definition {
  const code = reader.byte();
  switch (code) {
    case 0x00:
      if (reader.byte() !== 0x00) unsupported("it lifts something unknown", reader);
      return { is: "lift", func: reader.u32(), options: readOptions(reader), type: reader.u32() };
    case 0x01:
      if (reader.byte() !== 0x00) unsupported("it lowers something unknown", reader);
      return { is: "lower", func: reader.u32(), options: readOptions(reader) };
    case 0x02:
      return { is: "resource", operation: "new", type: reader.u32() };
    case 0x03:
      return { is: "resource", operation: "drop", type: reader.u32() };
    case 0x04:
      return { is: "resource", operation: "rep", type: reader.u32() };
    default:
      return unsupported(`it uses the asynchronous built-in function 0x${code.toString(16)}`, reader);
  }
}

const encodings: Readonly<Record<number, Encoding>> = { 0: "utf8", 1: "utf16", 2: "latin1+utf16" };

function readOptions(reader: BinaryReader): CanonOptions {
  let options: CanonOptions = { encoding: "utf8" };
  for (let left = reader.u32(); left > 0; left--) {
    const code = reader.byte();
    const encoding = encodings[code];
    if (encoding !== undefined) options = { ...options, encoding };
    else if (code === 0x03) options = { ...options, memory: reader.u32() };
    else if (code === 0x04) options = { ...options, realloc: reader.u32() };
    else if (code === 0x05) options = { ...options, postReturn: reader.u32() };
    else if (code === 0x06) unsupported("it has an asynchronous function: build it without async", reader);
    else unsupported(`it has a function with the option ${code}`, reader);
  }
  return options;
}
