import { checkAddress } from "./codec.ts";
import type { Canon, Codec } from "./codec.ts";
import { Trap } from "./trap.ts";

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const utf16 = new TextDecoder("utf-16le", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

/** In `latin1+utf16`, this bit of the length says that the text is UTF-16. */
const utf16Tag = 0x8000_0000;

/** Strings: a pointer, and a length in units of the encoding. */
export const textCodec: Codec = {
  size: 8,
  align: 4,
  flat: ["i32", "i32"],
  signature: "string",
  load: (canon, at) =>
    readText(canon, canon.view().getUint32(at, true), canon.view().getUint32(at + 4, true)),
  store(canon, value, at) {
    const [pointer, length] = writeText(canon, value as string);
    canon.view().setUint32(at, pointer, true);
    canon.view().setUint32(at + 4, length, true);
  },
  lift(canon, values) {
    const pointer = (values.next() as number) >>> 0;
    return readText(canon, pointer, (values.next() as number) >>> 0);
  },
  lower(canon, value, into) {
    const [pointer, length] = writeText(canon, value as string);
    into.push(pointer, length | 0);
  },
};

function readText(canon: Canon, pointer: number, tagged: number): string {
  const { encoding } = canon;
  const latin1 = encoding === "latin1+utf16" && tagged < utf16Tag;
  const wide = encoding === "utf16" || (encoding === "latin1+utf16" && !latin1);
  const length = encoding === "latin1+utf16" && wide ? tagged - utf16Tag : tagged;
  const size = wide ? 2 * length : length;
  checkAddress(canon, pointer, size, encoding === "utf8" ? 1 : 2);
  canon.charge(size);
  const bytes = new Uint8Array(canon.view().buffer, pointer, size);
  if (latin1) return Buffer.from(bytes.buffer, pointer, size).toString("latin1");
  try {
    return (wide ? utf16 : utf8).decode(bytes);
  } catch {
    throw new Trap(`text is not valid ${wide ? "UTF-16" : "UTF-8"}`);
  }
}

function writeText(canon: Canon, text: string): readonly [pointer: number, length: number] {
  if (canon.encoding === "utf8") return writeUtf8(canon, text);
  // oxlint-disable-next-line no-control-regex -- latin1 has them
  if (canon.encoding === "latin1+utf16" && /^[\0-\xff]*$/.test(text)) {
    const pointer = canon.allocate(2, text.length);
    Buffer.from(canon.view().buffer, pointer, text.length).write(text, "latin1");
    return [pointer, text.length];
  }
  const size = 2 * text.length;
  const pointer = canon.allocate(2, size);
  Buffer.from(canon.view().buffer, pointer, size).write(text.toWellFormed(), "utf16le");
  return [pointer, canon.encoding === "utf16" ? text.length : text.length + utf16Tag];
}

function writeUtf8(canon: Canon, text: string): readonly [pointer: number, length: number] {
  const length = Buffer.byteLength(text);
  const pointer = canon.allocate(1, length);
  encoder.encodeInto(text, new Uint8Array(canon.view().buffer, pointer, length));
  return [pointer, length];
}
