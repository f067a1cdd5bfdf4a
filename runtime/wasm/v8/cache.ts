import { createHash, randomUUID } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Transpiled } from "./transpiler.ts";

/** Transpiled components on disk, a file each. */
export interface TranspileCache {
  /** undefined when there is none, or when the file is not as it was written. */
  read(sha256: string): Promise<Transpiled | undefined>;
  /** A cache that can't be written (a full disk, a read-only folder) is no failure: the next start is slower. */
  write(sha256: string, transpiled: Transpiled): Promise<void>;
}

/**
 * Keeps one file for each digest and transpiler version in `folder`. A file is sha256 of the rest (32 bytes), the
 * length of a JSON header (u32, little-endian), the header, then the parts that it lists, one behind the other.
 */
export function createTranspileCache(folder: string, version: string): TranspileCache {
  const pathOf = (sha256: string): string => join(folder, `${sha256}-${version}.bin`);
  return {
    async read(sha256) {
      const path = pathOf(sha256);
      try {
        return decode(await readFile(path));
      } catch {
        return undefined;
      }
    },
    async write(sha256, transpiled) {
      const path = pathOf(sha256);
      const temporary = `${path}.${randomUUID()}`;
      try {
        await mkdir(folder, { recursive: true });
        await writeFile(temporary, encode(transpiled));
        await rename(temporary, path);
      } catch {
        await rm(temporary, { force: true }).catch(() => undefined);
      }
    },
  };
}

interface Header {
  readonly glue: number;
  readonly modules: readonly { readonly name: string; readonly length: number }[];
}

const digestBytes = 32;

function encode({ glue, modules }: Transpiled): Buffer {
  const script = Buffer.from(glue);
  const header = Buffer.from(
    JSON.stringify({
      glue: script.length,
      modules: modules.map(({ name, bytes }) => ({ name, length: bytes.length })),
    } satisfies Header),
  );
  const length = Buffer.alloc(4);
  length.writeUInt32LE(header.length);
  const rest = Buffer.concat([length, header, script, ...modules.map(({ bytes }) => bytes)]);
  return Buffer.concat([createHash("sha256").update(rest).digest(), rest]);
}

function decode(file: Buffer): Transpiled | undefined {
  const rest = file.subarray(digestBytes);
  if (!createHash("sha256").update(rest).digest().equals(file.subarray(0, digestBytes))) return undefined;
  const headerEnd = 4 + rest.readUInt32LE(0);
  const header = JSON.parse(rest.toString("utf8", 4, headerEnd)) as Header;
  let at = headerEnd;
  const take = (length: number): Buffer => rest.subarray(at, (at += length));
  const glue = take(header.glue).toString("utf8");
  return { glue, modules: header.modules.map(({ name, length }) => ({ name, bytes: take(length) })) };
}
