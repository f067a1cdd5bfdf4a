import { promisify } from "node:util";
import { brotliDecompress, gunzip, inflate, zstdDecompress } from "node:zlib";
import { MillraceError } from "../errors.ts";
import { findJsonFault } from "../json-fault.ts";
import { tooLarge } from "./read-body.ts";

type Decompress = (body: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>;

const codings: ReadonlyMap<string, Decompress> = new Map<string, Decompress>([
  ["gzip", promisify(gunzip) as Decompress],
  ["x-gzip", promisify(gunzip) as Decompress],
  ["deflate", promisify(inflate) as Decompress],
  ["br", promisify(brotliDecompress) as Decompress],
  ["zstd", promisify(zstdDecompress) as Decompress],
]);

/** For the header Accept-Encoding of a refusal (RFC 9110 section 12.5.3). */
export const acceptedCodings = "gzip, deflate, br, zstd";

/**
 * Undoes Content-Encoding; the result may not exceed `limit` either. Throws ERR_BODY_CODING_UNKNOWN,
 * ERR_BODY_CODING and ERR_BODY_TOO_LARGE.
 */
export async function decompressBody(body: Buffer, coding: string, limit: number): Promise<Buffer> {
  const name = coding.trim().toLowerCase();
  if (name === "" || name === "identity") return body;
  const decompress = codings.get(name);
  if (decompress === undefined) {
    throw new MillraceError(
      "ERR_BODY_CODING_UNKNOWN",
      `The Content-Encoding ${JSON.stringify(coding)} is not known here.`,
    );
  }
  try {
    return await decompress(body, { maxOutputLength: limit });
  } catch (error) {
    if ((error as { code?: string }).code === "ERR_BUFFER_TOO_LARGE") throw tooLarge(limit);
    throw new MillraceError(
      "ERR_BODY_CODING",
      `The body can't be decompressed as ${name}: ${(error as Error).message}.`,
    );
  }
}

/** Decodes UTF-8, without its byte order mark if it has one. Throws ERR_BODY_ENCODING. */
export function decodeText(body: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(body);
  } catch {
    // Every faulty sequence becomes U+FFFD, so the bytes differ from there on.
    const again = Buffer.from(body.toString("utf8"), "utf8");
    const offset = again.findIndex((byte, index) => byte !== body[index]);
    const byte = (body[offset] ?? 0).toString(16).padStart(2, "0");
    throw new MillraceError(
      "ERR_BODY_ENCODING",
      `The body is not UTF-8: the byte 0x${byte} at offset ${offset} begins no character.`,
    );
  }
}

/** Parses JSON. Throws ERR_BODY_JSON with the line and column of the first fault. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    if (text.trim() === "")
      throw new MillraceError("ERR_BODY_JSON", "The body is empty; an event in JSON is expected.");
    const fault = findJsonFault(text);
    if (fault === undefined) throw new MillraceError("ERR_BODY_JSON", (error as Error).message);
    const { line, column, expected, found } = fault;
    const instead = found === undefined ? "the end of the body" : JSON.stringify(found);
    const message = `expected ${expected} at line ${line}, column ${column}, and found ${instead}`;
    throw new MillraceError("ERR_BODY_JSON", `The body is not JSON: ${message}.`, {
      problems: [{ code: "ERR_BODY_JSON", message, line, column, expected }],
    });
  }
}
