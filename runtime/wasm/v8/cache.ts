import { createHash, randomUUID } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createCompiledFiles } from "../compiled-files.ts";
import type { Footprint } from "./bounds.ts";
import type { Translated } from "./translator.ts";

/** Translated binaries on disk, a file each. */
export interface TranslationCache {
  /** undefined when there is none, or when the file is not as it was written for this digest. */
  read(sha256: string): Promise<Translated | undefined>;
  /** A cache that can't be written (a full disk, a read-only folder) is no failure: the next start is slower. */
  write(sha256: string, translated: Translated): Promise<void>;
}

/** To be raised with every change of what a translation is or how it is made: those of before are not read then. */
const translationVersion = 7;

/**
 * Keeps one file for each digest and translation in `folder`. A file is sha256 of the binary's digest and the rest
 * (32 bytes), the length of a JSON header (u32, little-endian), the header, then the parts that it lists, one behind the
 * other. What was translated of another binary must not run because its file lies in this place.
 */
export function createTranslationCache(folder: string, mostBytes?: number): TranslationCache {
  const files = createCompiledFiles(folder, mostBytes);
  const pathOf = (sha256: string): string => join(folder, `${sha256}-${translationVersion}.bin`);
  return {
    async read(sha256) {
      const path = pathOf(sha256);
      try {
        const translated = decode(sha256, await readFile(path));
        if (translated !== undefined) await files.used(path);
        return translated;
      } catch {
        return undefined;
      }
    },
    async write(sha256, translated) {
      const path = pathOf(sha256);
      const temporary = `${path}.${randomUUID()}`;
      try {
        await mkdir(folder, { recursive: true });
        await writeFile(temporary, encode(sha256, translated));
        await rename(temporary, path);
        await files.added();
      } catch {
        await rm(temporary, { force: true }).catch(() => undefined);
      }
    },
  };
}

interface Header {
  readonly component: number;
  readonly modules: readonly { readonly length: number; readonly footprint: Footprint }[];
}

const digestBytes = 32;

function encode(sha256: string, { component, modules }: Translated): Buffer {
  const definition = Buffer.from(component);
  const header = Buffer.from(
    JSON.stringify({
      component: definition.length,
      modules: modules.map(({ bytes, footprint }) => ({ length: bytes.length, footprint })),
    } satisfies Header),
  );
  const length = Buffer.alloc(4);
  length.writeUInt32LE(header.length);
  const rest = Buffer.concat([length, header, definition, ...modules.map(({ bytes }) => bytes)]);
  return Buffer.concat([fileDigest(sha256, rest), rest]);
}

function fileDigest(sha256: string, rest: Buffer): Buffer {
  return createHash("sha256").update(sha256).update(rest).digest();
}

function decode(sha256: string, file: Buffer): Translated | undefined {
  const rest = file.subarray(digestBytes);
  if (!fileDigest(sha256, rest).equals(file.subarray(0, digestBytes))) return undefined;
  const headerEnd = 4 + rest.readUInt32LE(0);
  const header = JSON.parse(rest.toString("utf8", 4, headerEnd)) as Header;
  let at = headerEnd;
  const take = (length: number): Buffer => rest.subarray(at, (at += length));
  const component = take(header.component).toString("utf8");
  return {
    component,
    modules: header.modules.map(({ length, footprint }) => ({ bytes: take(length), footprint })),
  };
}
