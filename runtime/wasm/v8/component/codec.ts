import type { Encoding } from "./definition.ts";
import type { CallScope, HandleTable } from "./handle-table.ts";
import { Trap } from "./trap.ts";

/** The types that core functions take and return. */
export type CoreType = "i32" | "i64" | "f32" | "f64";

/** A core value: a bigint for i64, a number for the others. */
export type CoreValue = number | bigint;

/** What values are read from and written to: one component instance, in one call. */
export interface Canon {
  /** The memory as it is now; a memory that grows gets a new buffer. */
  view(): DataView<ArrayBuffer>;
  /** Memory from the guest for a value that is written to it. */
  allocate(align: number, bytes: number): number;
  /** Counts what is made of the guest's values in the host's own memory; ends the guest when that is too much. */
  charge(bytes: number): void;
  readonly encoding: Encoding;
  /** Lifted bytes are copied; else they are a view of memory, good until the guest runs on. */
  readonly copies: boolean;
  readonly handles: HandleTable;
  /** What is borrowed until the call returns. */
  scope: CallScope | undefined;
}

/** Core values, one after the other. */
export interface CoreValues {
  next(): CoreValue;
}

/**
 * How values of one type pass between the host and a guest, by the canonical ABI of the Component Model. In the host a
 * record or tuple is an array, a variant (option and result too) is [case, payload], an enum is its case, flags are a
 * number, u64 and s64 are bigints, a char is a number, a list of u8 is a Uint8Array, a resource is whatever stands for it.
 */
export interface Codec {
  /** In memory. */
  readonly size: number;
  readonly align: number;
  /** As core values; undefined when that would be more than the 16 that are ever passed so. */
  readonly flat: readonly CoreType[] | undefined;
  /** The type, spelt out, to compare it with another one. */
  readonly signature: string;
  load(canon: Canon, at: number): unknown;
  store(canon: Canon, value: unknown, at: number): void;
  lift(canon: Canon, values: CoreValues): unknown;
  lower(canon: Canon, value: unknown, into: CoreValue[]): void;
}

/** Core values that are passed at most; what needs more goes through memory. */
export const mostFlat = 16;

/** Checks an address that a guest names for something of this size and alignment. */
export function checkAddress(canon: Canon, at: number, size: number, align: number): void {
  if (at % align !== 0) throw new Trap("a pointer is not aligned");
  if (at + size > canon.view().byteLength) throw new Trap("a pointer leads out of bounds");
}

/** Longer spellings of types are not kept: a small component can have very large types. */
const longestSignature = 4_096;

/** What stands for the spelling of such a type. */
export const largeType = "(a large type)";

/** The spelling of a type that is made of others. */
export function spell(before: string, parts: readonly string[], after: string): string {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return length > longestSignature ? largeType : `${before}${parts.join(", ")}${after}`;
}

/** The next address with this alignment. */
export function alignTo(at: number, align: number): number {
  return Math.ceil(at / align) * align;
}
