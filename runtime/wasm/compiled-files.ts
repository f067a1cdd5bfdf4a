import { readdir, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";

/** What is compiled lies in files, of which so much is kept. */
export interface CompiledFiles {
  /** A file was read, which puts off its removal. */
  used(path: string): Promise<void>;
  /** A file was written: those that were used longest ago go, until the others fit. */
  added(): Promise<void>;
}

/** For each engine: some hundred components of JavaScript, or many thousands of small ones. */
const mostBytes = 4 * 1024 ** 3;

/** The files of a folder, up to so many bytes of them; another process may use it too. */
export function createCompiledFiles(folder: string, most = mostBytes): CompiledFiles {
  return {
    async used(path) {
      const now = new Date();
      // It may be gone, or not be this user's to change.
      await utimes(path, now, now).catch(() => undefined);
    },
    async added() {
      const names = await readdir(folder).catch(() => []);
      const found = await Promise.all(names.map((name) => fileOf(join(folder, name))));
      const files = found.flat().toSorted((one, other) => other.usedMs - one.usedMs);
      let bytes = 0;
      for (const { path, size } of files) {
        bytes += size;
        if (bytes > most) await rm(path, { force: true }).catch(() => undefined);
      }
    },
  };
}

async function fileOf(
  path: string,
): Promise<readonly { readonly path: string; readonly size: number; readonly usedMs: number }[]> {
  try {
    const { size, mtimeMs } = await stat(path);
    return [{ path, size, usedMs: mtimeMs }];
  } catch {
    // Another process may have removed it.
    return [];
  }
}
