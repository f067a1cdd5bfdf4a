import { leb } from "../../runtime/wasm/binary.ts";

/** A section with its id and length. */
export function encodeSection(id: number, content: Uint8Array): Uint8Array {
  return Buffer.concat([Uint8Array.from([id, ...leb(content.length)]), content]);
}

/** The signed LEB128 of a 32-bit number. */
export function signedLeb(value: number): readonly number[] {
  const bytes: number[] = [];
  for (let rest = value | 0; ; rest >>= 7) {
    const byte = rest & 0x7f;
    const last = rest >= -64 && rest < 64;
    bytes.push(last ? byte : byte | 0x80);
    if (last) return bytes;
  }
}
