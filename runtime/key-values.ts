/** The most that the key-value store of one function holds. */
export const keyValueBounds = {
  /** A key, in bytes of UTF-8; it has one at least. */
  keyBytes: 512,
  valueBytes: 64 * 1024,
  /** Keys at once. Where several hosts share a store it is kept about, not to the key. */
  keys: 10_000,
} as const;

/** A value, and what a write names to go behind it alone. */
interface StoredValue {
  readonly value: Uint8Array;
  readonly revision: string;
}

/**
 * The key-value stores of functions, each apart from the others. A resolved write is as durable as its store promises,
 * and stays when the attempt fails that made it. Reads see every resolved write.
 */
export interface KeyValues {
  get(functionId: string, key: string): Promise<StoredValue | undefined>;
  /**
   * Sets a value: over whatever is there; with a revision only over that one; with null only where there is no such key.
   * "changed": somebody else was before; "full": the function has as many keys as it may.
   */
  set(
    functionId: string,
    key: string,
    value: Uint8Array,
    over?: string | null,
  ): Promise<"done" | "changed" | "full">;
  /** Removes a key, or none. */
  delete(functionId: string, key: string): Promise<void>;
  /** A page of keys in their order, those behind `after`; `next` is the last of them when there are more. */
  keys(
    functionId: string,
    after?: string,
  ): Promise<{ readonly keys: readonly string[]; readonly next?: string }>;
  /** Adds to a whole number that is kept as text; a key that is not there is 0. "no-number": it holds something else, or would overflow 64 bits. */
  increment(functionId: string, key: string, delta: bigint): Promise<bigint | "no-number" | "full">;
}

/** Keys in one page. */
export const keysAPage = 1_000;

const wholeNumber = /^-?\d{1,20}$/;
const least = -(2n ** 63n);
const most = 2n ** 63n - 1n;

/** A value that is there, or 0, and so much more; undefined for what is no number of 64 bits. */
export function added(value: Uint8Array | undefined, delta: bigint): bigint | undefined {
  const text = value === undefined ? "0" : Buffer.from(value).toString("latin1");
  if (!wholeNumber.test(text)) return undefined;
  const sum = BigInt(text) + delta;
  return sum < least || sum > most ? undefined : sum;
}
