/** Thrown when bytes are not the WebAssembly that they should be; the message says where. */
export class MalformedBinary extends Error {
  constructor(message: string) {
    super(message);
    this.name = "MalformedBinary";
  }
}

/** Reads a WebAssembly binary front to back. */
export interface BinaryReader {
  /** Where the next byte is, counted from the beginning of the whole binary. */
  readonly at: number;
  readonly end: number;
  byte(): number;
  /** The next byte, without passing over it. */
  peek(): number;
  /** An unsigned LEB128 of at most 32 bits. */
  u32(): number;
  /** Passes over a LEB128 of any width and sign. */
  skipLeb(): void;
  skip(bytes: number): void;
  /** A length and that many bytes of UTF-8. */
  name(): string;
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** A reader of `bytes` from `start` (inclusive) to `end` (exclusive). */
export function readBinary(bytes: Uint8Array, start = 0, end = bytes.length): BinaryReader {
  let at = start;
  const byte = (): number => {
    const value = at < end ? bytes[at] : undefined;
    if (value === undefined) throw new MalformedBinary(`it ends in the middle of something, at byte ${at}`);
    at++;
    return value;
  };
  const u32 = (): number => {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const next = byte();
      value += (next & 0x7f) * 2 ** shift;
      if (next < 0x80 && value < 2 ** 32) return value;
    }
    throw new MalformedBinary(`a number at byte ${at} is longer than 32 bits`);
  };
  const skip = (count: number): void => {
    if (count > end - at) throw new MalformedBinary(`it ends in the middle of something, at byte ${end}`);
    at += count;
  };
  return {
    get at() {
      return at;
    },
    end,
    byte,
    peek() {
      const value = byte();
      at--;
      return value;
    },
    u32,
    skip,
    skipLeb() {
      while (byte() >= 0x80);
    },
    name() {
      const length = u32();
      const from = at;
      skip(length);
      try {
        return utf8.decode(bytes.subarray(from, at));
      } catch {
        throw new MalformedBinary(`a name at byte ${from} is not UTF-8`);
      }
    },
  };
}

/** A section of a module or component; `start` and `end` are the bounds of its content. */
export interface Section {
  readonly id: number;
  readonly start: number;
  readonly end: number;
}

/** The length of the preamble: magic, version and layer. */
export const preambleLength = 8;

/** A binary of more sections is refused: toolchains make some hundreds, and each is an object here. */
const mostSections = 100_000;

/** All sections of a module or component, in order. Throws MalformedBinary when they don't fill the binary. */
export function sections(bytes: Uint8Array): readonly Section[] {
  const reader = readBinary(bytes, preambleLength);
  const found: Section[] = [];
  while (reader.at < reader.end) {
    const id = reader.byte();
    const length = reader.u32();
    const start = reader.at;
    if (length > bytes.length - start) {
      throw new MalformedBinary(
        `it is cut off: section ${id} at byte ${start} has ${length} bytes, of which ${bytes.length - start} are there`,
      );
    }
    if (found.length === mostSections) {
      throw new MalformedBinary(`it has more than ${mostSections} sections`);
    }
    reader.skip(length);
    found.push({ id, start, end: start + length });
  }
  return found;
}

/** An unsigned LEB128. */
export function leb(value: number): number[] {
  const bytes: number[] = [];
  let rest = value >>> 0;
  while (rest >= 0x80) {
    bytes.push((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  bytes.push(rest);
  return bytes;
}
