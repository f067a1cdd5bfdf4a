import { MalformedBinary } from "../binary.ts";

/** A `memory.grow` in a function body: from its opcode to behind its memory index. */
export interface GrowSite {
  readonly start: number;
  readonly end: number;
  readonly memory: number;
}

/** A tail call in a function body: from its opcode to behind its immediates. */
interface TailCall {
  readonly start: number;
  readonly end: number;
  /** The opcode of the call that is no tail call. */
  readonly call: number;
}

/** An operation on as much memory as the guest says (init, copy, fill): from its opcode to behind its immediates. */
interface BulkOperation {
  readonly start: number;
  readonly end: number;
  readonly bulk: true;
}

/** What is replaced in a function body. */
type Site = GrowSite | TailCall | BulkOperation;

/** Opcodes of tail calls, each with that of the same call that is none. */
const tailCalls: Readonly<Record<number, number>> = { 0x12: 0x10, 0x13: 0x11, 0x15: 0x14 };

/** A place in code that moves on as instructions are passed over. */
interface Cursor {
  readonly code: Uint8Array;
  readonly end: number;
  at: number;
}

/**
 * Finds every `memory.grow` between `start` and `end`, the instructions of one function body. It knows the
 * instructions of WebAssembly 3.0 but those of garbage-collected types, and none of threads; throws MalformedBinary at any other.
 */
export function findGrowSites(code: Uint8Array, start: number, end: number): readonly GrowSite[] {
  return findSites(code, start, end).filter((site) => "memory" in site);
}

/** Finds every tail call and every bulk operation on memory too. */
export function findSites(code: Uint8Array, start: number, end: number): readonly Site[] {
  const sites: Site[] = [];
  const cursor: Cursor = { code, end, at: start };
  while (cursor.at < end) {
    const opcodeAt = cursor.at;
    const opcode = byte(cursor);
    if (opcode === 0x40) sites.push({ start: opcodeAt, memory: leb(cursor), end: cursor.at });
    else {
      skipImmediates(cursor, opcode);
      const call = tailCalls[opcode];
      if (call !== undefined) sites.push({ start: opcodeAt, call, end: cursor.at });
      else if (opcode === 0xfc && isBulk(code, opcodeAt + 1)) {
        sites.push({ start: opcodeAt, bulk: true, end: cursor.at });
      }
    }
  }
  if (cursor.at > end) throw new MalformedBinary(`an instruction at byte ${end} is cut off`);
  return sites;
}

/** memory.init, memory.copy, memory.fill; the number may be longer than it need be. */
function isBulk(code: Uint8Array, at: number): boolean {
  const operation = leb({ code, end: code.length, at });
  return operation === 8 || operation === 10 || operation === 11;
}

function byte(cursor: Cursor): number {
  const value = cursor.at < cursor.end ? cursor.code[cursor.at] : undefined;
  if (value === undefined) throw new MalformedBinary(`an instruction at byte ${cursor.at} is cut off`);
  cursor.at++;
  return value;
}

/** The number when it is small, as indices are; wider ones are only passed over. */
function leb(cursor: Cursor): number {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const next = byte(cursor);
    if (shift < 28) value |= (next & 0x7f) << shift;
    if (next < 0x80) return value;
  }
}

function lebs(cursor: Cursor, count: number): void {
  for (let left = count; left > 0; left--) leb(cursor);
}

/** How many LEB128 numbers follow an opcode and are all that follows it. */
const lebsAfter = new Uint8Array(256).fill(255);
const setLebs = (count: number, ...ranges: readonly (readonly [from: number, to?: number])[]): void => {
  for (const [from, to = from] of ranges) lebsAfter.fill(count, from, to + 1);
};
// unreachable nop else throw_ref end, return, drop select, numeric, ref.is_null, ref.eq ref.as_non_null
setLebs(0, [0x00, 0x01], [0x05], [0x0a, 0x0b], [0x0f], [0x19, 0x1b], [0x45, 0xc4], [0xd1], [0xd3, 0xd4]);
// catch throw rethrow, br br_if, call return_call call_ref return_call_ref, delegate, local.* global.* table.*
setLebs(1, [0x07, 0x09], [0x0c, 0x0d], [0x10], [0x12], [0x14, 0x15], [0x18], [0x20, 0x26]);
// memory.size, i32.const i64.const, ref.null, ref.func, br_on_null br_on_non_null
setLebs(1, [0x3f], [0x41, 0x42], [0xd0], [0xd2], [0xd5, 0xd6]);
// call_indirect return_call_indirect
setLebs(2, [0x11], [0x13]);

function skipImmediates(cursor: Cursor, opcode: number): void {
  const count = lebsAfter[opcode] ?? 255;
  if (count !== 255) return lebs(cursor, count);
  // block loop if try
  if ((opcode >= 0x02 && opcode <= 0x04) || opcode === 0x06) return skipType(cursor);
  if (opcode >= 0x28 && opcode <= 0x3e) return skipMemoryArgument(cursor);
  switch (opcode) {
    case 0x0e: // br_table
      return lebs(cursor, leb(cursor) + 1);
    case 0x1c: // select with types
      for (let left = leb(cursor); left > 0; left--) skipType(cursor);
      return;
    case 0x1f: // try_table: catch and catch_ref name a tag before their label
      skipType(cursor);
      for (let left = leb(cursor); left > 0; left--) lebs(cursor, byte(cursor) < 2 ? 2 : 1);
      return;
    case 0x43: // f32.const
      cursor.at += 4;
      return;
    case 0x44: // f64.const
      cursor.at += 8;
      return;
    case 0xfc:
      return skipBulkOperation(cursor);
    case 0xfd:
      return skipVectorOperation(cursor);
    default:
      throw new MalformedBinary(
        `the instruction 0x${opcode.toString(16)} at byte ${cursor.at - 1} is not supported`,
      );
  }
}

/** A block's type or a value's: an index, one byte, or a reference to a heap type. */
function skipType(cursor: Cursor): void {
  const first = cursor.code[cursor.at];
  if (first === 0x63 || first === 0x64) cursor.at++;
  leb(cursor);
}

function skipMemoryArgument(cursor: Cursor): void {
  // Bit 6 of the alignment: a memory index follows it.
  lebs(cursor, (leb(cursor) & 0x40) === 0 ? 1 : 2);
}

/** Saturating conversions, bulk operations on memories and tables, 128-bit arithmetic. */
function skipBulkOperation(cursor: Cursor): void {
  const operation = leb(cursor);
  if (operation === 8 || operation === 10 || operation === 12 || operation === 14) lebs(cursor, 2);
  else if (operation >= 9 && operation <= 17) leb(cursor);
}

function skipVectorOperation(cursor: Cursor): void {
  const operation = leb(cursor);
  if (operation <= 11 || operation === 92 || operation === 93) skipMemoryArgument(cursor);
  else if (operation === 12 || operation === 13) cursor.at += 16;
  else if (operation >= 21 && operation <= 34) cursor.at += 1;
  else if (operation >= 84 && operation <= 91) {
    skipMemoryArgument(cursor);
    cursor.at += 1;
  }
}
