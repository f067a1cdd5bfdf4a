import { leb, readBinary } from "../binary.ts";
import { append, named, readCoreModule, replaceSections } from "./core-module.ts";
import { findSites } from "./instructions.ts";

/** The export through which a module's requests for more memory can be watched: a table with one function. */
export const growHookExport = "millrace:grow";

/** The export of what was the module's start function, to be called once the hook is set. */
export const startExport = "millrace:start";

/**
 * Makes a module ask before each `memory.grow`, so that the memories of a whole component share one limit and a
 * refusal is known. Each `memory.grow` becomes a call of a new function that calls (delta, take) → granted in element
 * 0 of a new table, which is exported; until the host puts its own function there, one that grants nothing stands in
 * it. So a start function must not run before that: it is exported instead. All that is new has indices behind what
 * was there, so nothing else in the module changes.
 *
 * Tail calls become calls too: V8 looks for the end of an attempt where a function begins or a loop goes round, but not
 * in a function that does nothing but tail calls, so that a thread of them could never be ended. And it looks only once
 * in a great many rounds of a short loop: bulk operations, of which one can take long, go through functions as well.
 */
export function watchGrowth(bytes: Uint8Array): Uint8Array {
  const module = readCoreModule(bytes);
  const codeSection = module.sections.find(({ id }) => id === 10);
  if (codeSection === undefined) return bytes;
  const code = watchCode(bytes, codeSection.start, codeSection.end, module.functions);
  if (code === undefined) return bytes;
  if (code.added.length === 0) {
    return replaceSections(bytes, module.sections, new Map([[10, code.content]]));
  }
  const askType = module.types;
  const deny = module.functions + code.added.length;
  const contents = new Map<number, Uint8Array | "none">();
  const extend = (id: number, items: readonly (readonly number[])[]): void => {
    const section = module.sections.find((section) => section.id === id);
    const old = section ? bytes.subarray(section.start, section.end) : Uint8Array.of(0);
    contents.set(id, append(old, items));
  };
  // (i32, i32) → i32 to ask, i32 → i32 to grow, (i32, i32, i32) → () for a bulk operation
  extend(1, [
    [0x60, 2, 0x7f, 0x7f, 1, 0x7f],
    [0x60, 1, 0x7f, 1, 0x7f],
    [0x60, 3, 0x7f, 0x7f, 0x7f, 0],
  ]);
  extend(3, [...code.added.map((it) => leb(askType + ("memory" in it ? 1 : 2))), leb(askType)]);
  // One element of funcref, never more.
  extend(4, [[0x70, 1, 1, 1]]);
  const exports = [[...named(growHookExport), 0x01, ...leb(module.tables)]];
  const start = module.sections.find(({ id }) => id === 8);
  if (start !== undefined) {
    exports.push([...named(startExport), 0x00, ...bytes.subarray(start.start, start.end)]);
    contents.set(8, "none");
  }
  extend(7, exports);
  // An active segment for that table at i32.const 0, of function indices.
  extend(9, [[0x02, ...leb(module.tables), 0x41, 0, 0x0b, 0x00, 1, ...leb(deny)]]);
  const added = code.added.map((it) =>
    body(
      "memory" in it
        ? growBody(it.memory, module.tables, askType)
        : bulkBody(it.bulk, module.tables, askType),
    ),
  );
  contents.set(10, append(code.content, [...added, body([0x00, 0x41, 0, 0x0b])]));
  return replaceSections(bytes, module.sections, contents);
}

/** A function to be added: one that grows a memory, or does one bulk operation with its immediates. */
type Added = { readonly memory: number } | { readonly bulk: Uint8Array };

/** The code section with each such instruction replaced, and the functions to be added; undefined when there is none. */
function watchCode(
  bytes: Uint8Array,
  start: number,
  end: number,
  firstNewFunction: number,
): { readonly content: Uint8Array; readonly added: readonly Added[] } | undefined {
  const reader = readBinary(bytes, start, end);
  // The functions to be added, each with its place among them.
  const added = new Map<string, readonly [place: number, it: Added]>();
  let changed = false;
  const parts: Uint8Array[] = [Uint8Array.from(leb(reader.u32()))];
  let kept = reader.at;
  while (reader.at < end) {
    const entry = reader.at;
    const length = reader.u32();
    const bodyStart = reader.at;
    for (let groups = reader.u32(); groups > 0; groups--) skipLocals(reader);
    const sites = findSites(bytes, reader.at, bodyStart + length);
    reader.skip(bodyStart + length - reader.at);
    if (sites.length === 0) continue;
    const pieces: Uint8Array[] = [];
    let from = bodyStart;
    changed = true;
    for (const site of sites) {
      pieces.push(bytes.subarray(from, site.start));
      from = site.end;
      if ("call" in site) {
        // The call, then return.
        pieces.push(Uint8Array.of(site.call), bytes.subarray(site.start + 1, site.end), Uint8Array.of(0x0f));
        continue;
      }
      const it: Added = "memory" in site ? site : { bulk: bytes.slice(site.start, site.end) };
      const key = "memory" in it ? String(it.memory) : Buffer.from(it.bulk).toString("hex");
      const [place] = added.get(key) ?? [added.size];
      added.set(key, [place, it]);
      const target = firstNewFunction + place;
      pieces.push(Uint8Array.from([0x10, ...leb(target)]));
    }
    pieces.push(bytes.subarray(from, bodyStart + length));
    const body = Buffer.concat(pieces);
    parts.push(bytes.subarray(kept, entry), Uint8Array.from(leb(body.length)), body);
    kept = reader.at;
  }
  parts.push(bytes.subarray(kept, end));
  return !changed
    ? undefined
    : { content: Buffer.concat(parts), added: [...added.values()].map(([, it]) => it) };
}

function skipLocals(reader: ReturnType<typeof readBinary>): void {
  reader.u32();
  const type = reader.byte();
  if (type === 0x63 || type === 0x64) reader.skipLeb();
}

/** Asks; grows when that is granted; gives back what was granted when the engine could not grow after all. */
function growBody(memory: number, table: number, askType: number): readonly number[] {
  // local.get 0, i32.const take, i32.const 0, call_indirect
  const ask = (take: 0 | 1): readonly number[] => [
    0x20,
    0,
    0x41,
    take,
    0x41,
    0,
    0x11,
    ...leb(askType),
    ...leb(table),
  ];
  return [
    // one local, of i32
    [1, 1, 0x7f],
    // if not granted: return -1
    ask(1),
    [0x45, 0x04, 0x40, 0x41, 0x7f, 0x0f, 0x0b],
    // if (local 1 = memory.grow(delta)) = -1: give back
    [0x20, 0, 0x40],
    leb(memory),
    [0x22, 1, 0x41, 0x7f, 0x46, 0x04, 0x40],
    ask(0),
    [0x1a, 0x0b],
    // return local 1
    [0x20, 1, 0x0b],
  ].flat();
}

/** How much a bulk operation may do without asking, in bytes. */
const quickBytes = 65_536;

/** Asks for nothing where much is to be done, as the host's side looks whether the attempt is over; then does it. */
function bulkBody(operation: Uint8Array, table: number, askType: number): readonly number[] {
  return [
    [0],
    // if (u32) length > quickBytes: ask(0, 1), drop
    [0x20, 2, 0x41, ...signedLeb(quickBytes), 0x4b, 0x04, 0x40],
    [0x41, 0, 0x41, 1, 0x41, 0, 0x11, ...leb(askType), ...leb(table), 0x1a, 0x0b],
    [0x20, 0, 0x20, 1, 0x20, 2, ...operation, 0x0b],
  ].flat();
}

/** A positive number as a signed LEB128: its last byte must not look like a sign. */
function signedLeb(value: number): readonly number[] {
  const bytes = leb(value);
  const last = bytes.pop() ?? 0;
  return last < 0x40 ? [...bytes, last] : [...bytes, last | 0x80, 0];
}

function body(content: readonly number[]): readonly number[] {
  return [...leb(content.length), ...content];
}
