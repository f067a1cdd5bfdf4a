/** UTF-8 of a string; lone surrogates become U+FFFD. */
export function encodeUtf8(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length * 3);
  let length = 0;
  for (let at = 0; at < text.length; at++) {
    let code = text.charCodeAt(at);
    if (code < 0x80) {
      bytes[length++] = code;
      continue;
    }
    if (code < 0x800) {
      bytes[length++] = 0xc0 | (code >> 6);
      bytes[length++] = 0x80 | (code & 0x3f);
      continue;
    }
    if (code >= 0xd800 && code < 0xe000) {
      const low = text.charCodeAt(at + 1);
      if (code < 0xdc00 && low >= 0xdc00 && low < 0xe000) {
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        at++;
        bytes[length++] = 0xf0 | (code >> 18);
        bytes[length++] = 0x80 | ((code >> 12) & 0x3f);
        bytes[length++] = 0x80 | ((code >> 6) & 0x3f);
        bytes[length++] = 0x80 | (code & 0x3f);
        continue;
      }
      code = 0xfffd;
    }
    bytes[length++] = 0xe0 | (code >> 12);
    bytes[length++] = 0x80 | ((code >> 6) & 0x3f);
    bytes[length++] = 0x80 | (code & 0x3f);
  }
  return bytes.slice(0, length);
}

/** One character of UTF-8: its code point (-1 when it is malformed, -2 when it is cut off) and the bytes it takes. */
function decodeAt(bytes: Uint8Array, at: number): readonly [code: number, length: number] {
  const first = bytes[at] ?? 0;
  if (first < 0x80) return [first, 1];
  const more =
    first >= 0xc2 && first < 0xe0
      ? 1
      : first >= 0xe0 && first < 0xf0
        ? 2
        : first >= 0xf0 && first < 0xf5
          ? 3
          : 0;
  if (more === 0) return [-1, 1];
  let code = first & (0x3f >> more);
  // The second byte's range shuts out overlong forms, surrogates and what is above U+10FFFF.
  let least = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  let most = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  for (let index = 1; index <= more; index++) {
    if (at + index >= bytes.length) return [-2, index];
    const byte = bytes[at + index] ?? 0;
    if (byte < least || byte > most) return [-1, index];
    code = (code << 6) | (byte & 0x3f);
    least = 0x80;
    most = 0xbf;
  }
  return [code, more + 1];
}

function decodeSlowly(bytes: Uint8Array, fatal: boolean): string {
  const parts: string[] = [];
  for (let at = 0; at < bytes.length;) {
    const [code, length] = decodeAt(bytes, at);
    if (code < 0 && fatal) throw new TypeError("The encoded data was not valid for encoding utf-8");
    parts.push(code < 0 ? "\ufffd" : String.fromCodePoint(code));
    at += length;
  }
  return parts.join("");
}

/** Text of UTF-8; what is malformed becomes U+FFFD, or a TypeError when `fatal`. */
export function decodeUtf8(bytes: Uint8Array, fatal = false): string {
  // QuickJS's own functions do well-formed text many times faster than a loop could.
  const parts: string[] = [];
  for (let at = 0; at < bytes.length; at += 8192) {
    parts.push(String.fromCharCode.apply(undefined, bytes.subarray(at, at + 8192) as unknown as number[]));
  }
  try {
    // oxlint-disable-next-line typescript/no-deprecated -- the one native way from bytes to percent-encoding
    return decodeURIComponent(escape(parts.join("")));
  } catch {
    return decodeSlowly(bytes, fatal);
  }
}

/** How many bytes at the end begin a character that is not complete. */
function cutOff(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte >= 0xc0) return decodeAt(bytes, bytes.length - back)[0] === -2 ? back : 0;
    if (byte < 0x80) return 0;
  }
  return 0;
}

class TextEncoder {
  get encoding(): string {
    return "utf-8";
  }

  encode(text = ""): Uint8Array {
    return encodeUtf8(String(text));
  }

  encodeInto(text: string, target: Uint8Array): { read: number; written: number } {
    let read = 0;
    let written = 0;
    for (const character of String(text)) {
      const bytes = encodeUtf8(character);
      if (written + bytes.length > target.length) break;
      target.set(bytes, written);
      written += bytes.length;
      read += character.length;
    }
    return { read, written };
  }
}

const labels = new Set(["utf-8", "utf8", "unicode-1-1-utf-8"]);

class TextDecoder {
  readonly fatal: boolean;
  readonly ignoreBOM: boolean;
  #rest = new Uint8Array(0);
  #begun = false;

  constructor(label = "utf-8", options: { fatal?: boolean; ignoreBOM?: boolean } = {}) {
    if (!labels.has(String(label).trim().toLowerCase())) {
      throw new RangeError(`TextDecoder of a step decodes utf-8 alone, not ${label}`);
    }
    this.fatal = Boolean(options.fatal);
    this.ignoreBOM = Boolean(options.ignoreBOM);
  }

  get encoding(): string {
    return "utf-8";
  }

  decode(input?: ArrayBuffer | ArrayBufferView, options: { stream?: boolean } = {}): string {
    const given = bytesOf(input);
    let bytes = given;
    if (this.#rest.length > 0) {
      bytes = new Uint8Array(this.#rest.length + given.length);
      bytes.set(this.#rest);
      bytes.set(given, this.#rest.length);
    }
    const keep = options.stream === true ? cutOff(bytes) : 0;
    this.#rest = bytes.slice(bytes.length - keep);
    let text = decodeUtf8(bytes.subarray(0, bytes.length - keep), this.fatal);
    if (!this.#begun && !this.ignoreBOM && text.startsWith("\ufeff")) text = text.slice(1);
    this.#begun = options.stream === true && (this.#begun || text !== "");
    return text;
  }
}

function bytesOf(input: ArrayBuffer | ArrayBufferView | undefined): Uint8Array {
  if (input === undefined) return new Uint8Array(0);
  if (ArrayBuffer.isView(input)) return new Uint8Array(input.buffer, input.byteOffset, input.byteLength);
  return new Uint8Array(input);
}

/** TextEncoder and TextDecoder (WHATWG Encoding), UTF-8 alone. */
export function installText(): void {
  Object.assign(globalThis, { TextEncoder, TextDecoder });
}
