import { decodeUtf8, encodeUtf8 } from "../text.ts";

/** What stands for Node's Buffer where a file is read: bytes whose toString is text. */
export class FileBytes extends Uint8Array<ArrayBuffer> {
  // What is made of them is bytes alone.
  static get [Symbol.species](): typeof Uint8Array {
    return Uint8Array;
  }

  override toString(encoding?: string): string {
    return decode(this, encoding ?? "utf8");
  }

  toJSON(): unknown {
    return { type: "Buffer", data: Array.from(this) };
  }
}

function binary(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}

/** Bytes as text of an encoding that Node knows. */
export function decode(bytes: Uint8Array, encoding: string): string {
  switch (encoding.toLowerCase()) {
    case "utf8":
    case "utf-8":
      return decodeUtf8(bytes);
    case "latin1":
    case "binary":
      return binary(bytes);
    case "ascii":
      return binary(bytes.map((byte) => byte & 0x7f));
    case "hex":
      return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    case "base64":
      return btoa(binary(bytes));
    default:
      throw unknownEncoding(encoding);
  }
}

function unknownEncoding(encoding: string): Error {
  const error = new TypeError(`The argument 'encoding' is invalid encoding. Received '${encoding}'`);
  return Object.assign(error, { code: "ERR_INVALID_ARG_VALUE" });
}

/** Text or bytes as the bytes that are written. */
export function encode(data: unknown, encoding = "utf8"): Uint8Array {
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  if (typeof data !== "string") {
    const wish = `The "data" argument must be of type string or an instance of Buffer, TypedArray, or DataView.`;
    throw Object.assign(new TypeError(`${wish} Received ${String(data)}`), { code: "ERR_INVALID_ARG_TYPE" });
  }
  switch (encoding.toLowerCase()) {
    case "utf8":
    case "utf-8":
      return encodeUtf8(data);
    case "latin1":
    case "binary":
    case "ascii":
      return Uint8Array.from(data, (character) => character.charCodeAt(0));
    case "hex":
      return Uint8Array.from(data.match(/[\da-f]{2}/gi) ?? [], (pair) => Number.parseInt(pair, 16));
    case "base64":
      return Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
    default:
      throw unknownEncoding(encoding);
  }
}
