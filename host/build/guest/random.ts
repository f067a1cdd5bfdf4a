import random from "wasi:random/random@0.2.12";
import { touchOutside } from "./phase.ts";

/** sfc32 by Chris Doty-Humphrey (PractRand): a small fast generator of 32-bit words. */
function generator(seed: Uint8Array): () => number {
  const words = new Uint32Array(seed.buffer.slice(seed.byteOffset, seed.byteOffset + 12));
  let [a = 0, b = 0, c = 0] = words;
  let counter = 1;
  const next = (): number => {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    c |= 0;
    return sum >>> 0;
  };
  for (let round = 0; round < 12; round++) next();
  return next;
}

/** Seeds Math.random anew in each instance: QuickJS's own state is a part of the snapshot. */
export function installRandom(): void {
  let next: (() => number) | undefined;
  const mathRandom = (): number => {
    touchOutside("randomness");
    next ??= generator(random.getRandomBytes(12));
    // 53 bits: 26 above 27.
    return ((next() >>> 6) * 2 ** 27 + (next() >>> 5)) / 2 ** 53;
  };
  Object.defineProperty(Math, "random", { value: mathRandom, writable: true, configurable: true });
  Object.assign(globalThis, { crypto: { getRandomValues, randomUUID } });
}

function getRandomValues<T extends ArrayBufferView>(view: T): T {
  touchOutside("randomness");
  if (!ArrayBuffer.isView(view) || view instanceof Float32Array || view instanceof Float64Array) {
    throw new DOMException("The argument must be an array of integers", "TypeMismatchError");
  }
  if (view.byteLength > 65_536) {
    throw new DOMException("More than 65536 random bytes were asked for at once", "QuotaExceededError");
  }
  if (view.byteLength > 0) {
    const bytes = random.getRandomBytes(view.byteLength);
    new Uint8Array(view.buffer, view.byteOffset, view.byteLength).set(bytes);
  }
  return view;
}

function randomUUID(): string {
  const bytes = getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
