import type { StepFailure } from "../driver.ts";
import { MalformedBinary, preambleLength, readBinary, sections } from "./binary.ts";
import type { BinaryReader, Section } from "./binary.ts";
import { failure } from "../failure.ts";

/** How a step is called: by its typed export, or as a program with argument, stdin and stdout. */
export type StepMode = "typed" | "program";

/** What can be told of a binary without compiling it. */
export interface Inspection {
  /** A component, or a core module that was built as a WASI preview 1 command. */
  readonly kind: "component" | "command";
  readonly mode: StepMode;
  /** Names of what it imports, with their versions. */
  readonly imports: readonly string[];
  /** Names of what it exports. */
  readonly exports: readonly string[];
}

const typedExport = /^millrace:step\/handler@0\.1\.\d+$/;
const programExport = /^wasi:cli\/run@0\.2\.\d+$/;

/** Looks at a step's binary: what it is, how to call it and what it imports; the failure when it can't be a step. */
export function inspect(bytes: Uint8Array): Inspection | StepFailure {
  const magic =
    bytes.length >= 4 && bytes[0] === 0 && bytes[1] === 0x61 && bytes[2] === 0x73 && bytes[3] === 0x6d;
  if (!magic) return failure("ERR_COMPONENT_INVALID", `The artifact is not WebAssembly: ${guess(bytes)}.`);
  if (bytes.length < preambleLength) {
    return failure("ERR_COMPONENT_INVALID", "The artifact is cut off after its first bytes.");
  }
  const version = [...bytes.subarray(4, preambleLength)].join(".");
  try {
    if (version === "13.0.1.0") return inspectComponent(bytes, sections(bytes));
    if (version === "1.0.0.0") return inspectCommand(bytes, sections(bytes));
  } catch (error) {
    if (!(error instanceof MalformedBinary)) throw error;
    return failure("ERR_COMPONENT_INVALID", `The artifact is not valid WebAssembly: ${error.message}.`);
  }
  return failure("ERR_COMPONENT_INVALID", `The artifact is WebAssembly of an unknown version (${version}).`);
}

function inspectComponent(bytes: Uint8Array, found: readonly Section[]): Inspection | StepFailure {
  const imports: string[] = [];
  const exports: string[] = [];
  for (const { id, start, end } of found) {
    const reader = readBinary(bytes, start, end);
    if (id === 10) each(reader, end, () => imports.push(...componentImport(reader)));
    if (id === 11) each(reader, end, () => exports.push(componentExport(reader)));
  }
  const mode = exports.some((name) => typedExport.test(name)) ? "typed" : "program";
  if (mode === "typed" || exports.some((name) => programExport.test(name)))
    return { kind: "component", mode, imports, exports };
  return failure("ERR_COMPONENT_EXPORT", missingExport(exports));
}

function inspectCommand(bytes: Uint8Array, found: readonly Section[]): Inspection | StepFailure {
  const imports = new Set<string>();
  const exports: string[] = [];
  for (const { id, start, end } of found) {
    const reader = readBinary(bytes, start, end);
    if (id === 2) each(reader, end, () => imports.add(coreImport(reader)));
    if (id === 7) each(reader, end, () => exports.push(coreExport(reader)));
  }
  if (exports.includes("_start")) return { kind: "command", mode: "program", imports: [...imports], exports };
  const unembedded = exports.some((name) => name.startsWith("millrace:step/handler@"));
  return failure(
    "ERR_COMPONENT_EXPORT",
    unembedded
      ? "The artifact is a core module of the typed world, not yet a component: run `wasm-tools component new` on it."
      : `The artifact is a core module without \`_start\`${listed(exports)}. Build a WASI command (not a library or reactor), or a component.`,
  );
}

/** Imports or exports of one binary that are looked at. */
const mostItems = 100_000;

/** Reads the items of a section, which they have to fill: what is taken for an import here must be one to an engine too. */
function each(reader: BinaryReader, end: number, read: () => void): void {
  const count = reader.u32();
  if (count > mostItems) throw new MalformedBinary(`it has ${count} imports or exports in one section`);
  for (let left = count; left > 0; left--) read();
  if (reader.at !== end)
    throw new MalformedBinary(`the section that ends at byte ${end} is longer than what it holds`);
}

/** Import and export names begin with a byte that only some versions of the format use. */
function externName(reader: BinaryReader): string {
  const form = reader.byte();
  const name = reader.name();
  if (form === 0x02) reader.name();
  return name;
}

/** The import's name; none for a type that only stands for another one. */
function componentImport(reader: BinaryReader): readonly string[] {
  const name = externName(reader);
  return externType(reader) === "alias" ? [] : [name];
}

function componentExport(reader: BinaryReader): string {
  const name = externName(reader);
  if (reader.byte() === 0x00) reader.byte();
  reader.u32();
  if (reader.byte() === 0x01) externType(reader);
  return name;
}

function externType(reader: BinaryReader): "alias" | "item" {
  const kind = reader.byte();
  if (kind > 0x05)
    throw new MalformedBinary(`an import or export at byte ${reader.at} is of an unknown kind (${kind})`);
  if (kind === 0x00) reader.byte();
  if (kind === 0x03) {
    // A type is bounded by equality with another one, or is a new resource.
    const bound = reader.byte();
    if (bound > 0x01)
      throw new MalformedBinary(`a type at byte ${reader.at} has an unknown bound (${bound})`);
    if (bound === 0x01) return "item";
  }
  reader.skipLeb();
  return kind === 0x03 ? "alias" : "item";
}

function coreImport(reader: BinaryReader): string {
  const module = reader.name();
  reader.name();
  coreExternType(reader);
  return module;
}

function coreExternType(reader: BinaryReader): void {
  const kind = reader.byte();
  if (kind === 0x00) reader.skipLeb();
  else if (kind === 0x01) {
    valueType(reader);
    limits(reader);
  } else if (kind === 0x02) limits(reader);
  else if (kind === 0x03) {
    valueType(reader);
    reader.byte();
  } else if (kind === 0x04) {
    reader.byte();
    reader.skipLeb();
  } else throw new MalformedBinary(`an import at byte ${reader.at} is of an unknown kind (${kind})`);
}

function valueType(reader: BinaryReader): void {
  const type = reader.byte();
  // (ref null? heaptype)
  if (type === 0x63 || type === 0x64) reader.skipLeb();
}

function limits(reader: BinaryReader): void {
  const flags = reader.byte();
  reader.skipLeb();
  if ((flags & 1) === 1) reader.skipLeb();
}

function coreExport(reader: BinaryReader): string {
  const name = reader.name();
  reader.byte();
  reader.u32();
  return name;
}

function missingExport(exports: readonly string[]): string {
  const run = exports.find((name) => name.startsWith("wasi:cli/run@"));
  if (run !== undefined)
    return `The component exports ${run}; this host runs wasi:cli/run@0.2. Build it for WASI 0.2.`;
  const handler = exports.find((name) => name.startsWith("millrace:step/handler"));
  if (handler !== undefined)
    return `The component exports ${handler}; this host calls millrace:step/handler@0.1.`;
  if (exports.some((name) => name.startsWith("wasi:http/incoming-handler@"))) {
    return "The component is an HTTP handler (wasi:http/incoming-handler). A step exports millrace:step/handler@0.1.0 or wasi:cli/run@0.2.";
  }
  return `The component exports neither millrace:step/handler@0.1.0 nor wasi:cli/run@0.2${listed(exports)}.`;
}

function listed(names: readonly string[]): string {
  return names.length === 0 ? " (it exports nothing)" : ` (it exports ${someOf(names, 5)})`;
}

/** The first names of a list for a message, and how many more there are; long ones are cut. */
export function someOf(names: readonly string[], most: number): string {
  const some = names.slice(0, most).map((name) => (name.length > 100 ? `${name.slice(0, 100)}…` : name));
  const more = names.length > most ? ` and ${names.length - most} more` : "";
  return `${some.join(", ")}${more}`;
}

/** Names what people push by mistake. */
function guess(bytes: Uint8Array): string {
  if (bytes.length === 0) return "it is empty";
  const head = Buffer.from(bytes.subarray(0, 256));
  if (head.subarray(0, 4).equals(Buffer.from([0x7f, 0x45, 0x4c, 0x46]))) {
    return "it is a native Linux program (ELF); build it for a wasm32-wasip2 target";
  }
  if (head[0] === 0xcf && head[1] === 0xfa)
    return "it is a native macOS program; build it for a wasm32-wasip2 target";
  if (head[0] === 0x4d && head[1] === 0x5a)
    return "it is a native Windows program; build it for a wasm32-wasip2 target";
  if (head[0] === 0x1f && head[1] === 0x8b) return "it is compressed by gzip; unpack it first";
  if (head[0] === 0x50 && head[1] === 0x4b) return "it is a zip archive; unpack it first";
  const text = head.toString("utf8");
  if (/^\s*(;;|\(;|\((module|component)\b)/.test(text)) {
    return "it is WebAssembly text; `wasm-tools parse` turns it into a binary";
  }
  // Control characters other than white space don't occur in text.
  // oxlint-disable-next-line no-control-regex -- they are what is looked for
  if (!/[\0-\x08\x0e-\x1f\ufffd]/.test(text.slice(0, 200))) {
    return `it is a text file that begins with ${JSON.stringify(text.split("\n", 1)[0]?.slice(0, 60))}`;
  }
  return `it begins with the bytes ${head.subarray(0, 4).toString("hex")}, WebAssembly with 0061736d`;
}
