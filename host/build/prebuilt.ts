import { readFile, writeFile } from "node:fs/promises";
import { promisify } from "node:util";
import { brotliCompress, brotliDecompress, constants } from "node:zlib";

/**
 * Where the published package has its guests: all in one file, since each is nearly the same as the others. It is a line of
 * JSON with their names and lengths, then their bytes, compressed as a whole.
 */
const file = new URL("./prebuilt-guests.br", import.meta.url);

type Guests = ReadonlyMap<string, Uint8Array>;

/** Gives the guests of the published package by their names; undefined where there are none, as in the source tree. */
export type Prebuilt = (name: string) => Promise<Uint8Array | undefined>;

/** They are read when the first one is asked for. */
export function openPrebuilt(): Prebuilt {
  let guests: Promise<Guests | undefined> | undefined;
  return async (name) => (await (guests ??= readAll()))?.get(name);
}

async function readAll(): Promise<Guests | undefined> {
  let packed: Uint8Array;
  try {
    packed = await readFile(file);
  } catch {
    return undefined;
  }
  const bytes = await promisify(brotliDecompress)(packed);
  const end = bytes.indexOf("\n");
  let at = end + 1;
  const lengths = JSON.parse(bytes.toString("utf8", 0, end)) as readonly (readonly [string, number])[];
  return new Map(lengths.map(([name, length]) => [name, bytes.subarray(at, (at += length))]));
}

/** Writes the guests of the published package. */
export async function writePrebuilt(guests: Guests): Promise<void> {
  const head = JSON.stringify([...guests].map(([name, bytes]) => [name, bytes.length]));
  const all = Buffer.concat([Buffer.from(`${head}\n`), ...guests.values()]);
  const params = {
    // A better one takes ten times as long for a sixth less.
    [constants.BROTLI_PARAM_QUALITY]: 9,
    [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS,
    [constants.BROTLI_PARAM_SIZE_HINT]: all.length,
  };
  await writeFile(file, await promisify(brotliCompress)(all, { params }));
}
