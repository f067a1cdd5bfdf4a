import { encodeUtf8 } from "./text.ts";

/** Percent-encode sets of the URL standard: what of ASCII is encoded besides control characters. */
const sets = {
  control: "",
  fragment: ' "<>`',
  query: ' "#<>',
  specialQuery: " \"#<>'",
  path: ' "#<>?^`{}',
  userinfo: ' "#<>?^`{}/:;=@[\\]|',
} as const;

/** The name of a percent-encode set. */
export type EncodeSet = keyof typeof sets;

/** Percent-encodes control characters, all that is not ASCII, and what the set names. */
export function percentEncode(text: string, set: EncodeSet): string {
  let result = "";
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    const plain = code > 0x1f && code < 0x7f && !sets[set].includes(character);
    result += plain ? character : percentBytes(encodeUtf8(character));
  }
  return result;
}

/** %XX for each byte. */
export function percentBytes(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`).join("");
}

/** The bytes of a text with its %XX undone. */
export function percentDecode(text: string): Uint8Array {
  const bytes = encodeUtf8(text);
  if (!text.includes("%")) return bytes;
  const result = new Uint8Array(bytes.length);
  let length = 0;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    const hex = byte === 0x25 ? String.fromCharCode(bytes[at + 1] ?? 0, bytes[at + 2] ?? 0) : "";
    const escaped = /^[0-9a-f]{2}$/i.test(hex);
    result[length++] = escaped ? Number.parseInt(hex, 16) : byte;
    if (escaped) at += 2;
  }
  return result.subarray(0, length);
}
