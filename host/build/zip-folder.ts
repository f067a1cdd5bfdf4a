import { lstat, readdir, readFile, readlink } from "node:fs/promises";
import { dirname, join, posix } from "node:path";
import { zipSync, type Zippable } from "fflate";

/** A folder that can't be a function's code. */
export class ArchiveError extends Error {}

/** What Lambda takes, in bytes: of the files, and of the archive when it is sent with the request. */
const largest = { files: 250 * 1024 * 1024, archive: 50 * 1024 * 1024 };

/** What no function needs. */
const ignored = new Set([".git", ".DS_Store", "Thumbs.db"]);

/** A fixed time in every time zone, the first that a ZIP can have. */
// oxlint-disable-next-line no-restricted-globals -- a fixed time, and no clock
const noTime = new Date(1980, 0, 1);

const kinds = { file: 0o100000, link: 0o120000 };

/**
 * A ZIP of a folder, without times and owners, so that equal folders give equal bytes. Symbolic links stay links.
 * Throws ArchiveError.
 */
export async function zipFolder(folder: string): Promise<Uint8Array> {
  const files: Zippable = {};
  let size = 0;

  const add = (name: string, bytes: Uint8Array, mode: number): void => {
    files[name] = [bytes, { mtime: noTime, os: 3, attrs: mode << 16 }];
  };

  const addFolder = async (path: string): Promise<void> => {
    for (const name of (await readdir(join(folder, path))).toSorted()) {
      if (ignored.has(name)) continue;
      const inside = path === "" ? name : `${path}/${name}`;
      const found = join(folder, inside);
      const stats = await lstat(found);
      if (stats.isDirectory()) await addFolder(inside);
      else if (stats.isSymbolicLink()) {
        const target = await readlink(found);
        if (leadsOut(inside, target))
          throw new ArchiveError(`${inside} is a link to ${target}, out of the folder`);
        add(inside, Buffer.from(target), kinds.link | 0o777);
      } else if (stats.isFile()) {
        size += stats.size;
        if (size > largest.files) throw new ArchiveError("it has more than 250 MiB");
        // Lambda runs functions as another user, who must be able to read them.
        add(inside, await readFile(found), kinds.file | ((stats.mode & 0o100) === 0 ? 0o644 : 0o755));
      }
    }
  };

  try {
    await addFolder("");
  } catch (error) {
    if (error instanceof ArchiveError) throw error;
    throw new ArchiveError(`it can't be read: ${(error as Error).message}`, { cause: error });
  }
  if (Object.keys(files).length === 0) throw new ArchiveError("it has no files");
  const archive = zipSync(files);
  if (archive.length > largest.archive) {
    throw new ArchiveError(`its archive has ${archive.length} bytes, more than the 50 MiB that Lambda takes`);
  }
  return archive;
}

function leadsOut(link: string, target: string): boolean {
  if (posix.isAbsolute(target)) return true;
  const path = posix.normalize(posix.join(dirname(link), target));
  return path === ".." || path.startsWith("../");
}
