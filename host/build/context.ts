import { lstat, readdir, readFile, readlink } from "node:fs/promises";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { type Header, pack } from "tar-stream";
import { createIgnore } from "./docker-ignore.ts";

/** A folder that can't be packed: too large, or not to be read. */
export class ContextError extends Error {}

/** What the API of a host takes at most, in bytes. */
const largest = 32 * 1024 * 1024;

// oxlint-disable-next-line no-restricted-globals -- a fixed time, and no clock
const noTime = new Date(0);

/** What stands before a file in an archive, and fills up its last block, in bytes. */
const overhead = 1_024;

/**
 * An archive of a folder, as its Dockerfile needs it: without what its .dockerignore names, and without times and owners,
 * so that equal folders give equal bytes. `dockerfile`, its name in the folder, is there in any case. Throws ContextError.
 */
export async function packContext(folder: string, dockerfile: string): Promise<Buffer> {
  const ignored = await readFile(join(folder, ".dockerignore"), "utf8").catch(() => "");
  const ignore = createIgnore(ignored === "" ? "" : `${ignored}\n!${dockerfile}\n!.dockerignore`);
  const archive = pack();
  const packed = buffer(archive);
  // Who waits for it hears of a failure below.
  packed.catch(() => undefined);
  let size = 0;

  const add = async (name: string, header: Partial<Header>, content?: Buffer): Promise<void> => {
    size += (content?.length ?? 0) + overhead;
    if (size > largest) {
      throw new ContextError(`the folder has more than ${largest / 1024 ** 2} MiB without what is ignored`);
    }
    const fixed = { name, uid: 0, gid: 0, mtime: noTime, ...header };
    await new Promise<void>((resolve, reject) => {
      archive.entry(fixed, content ?? "", (error) => (error ? reject(error) : resolve()));
    });
  };

  const addFolder = async (path: string): Promise<void> => {
    const names = await readdir(join(folder, path));
    for (const name of names.toSorted()) {
      const inside = path === "" ? name : `${path}/${name}`;
      const stats = await lstat(join(folder, inside));
      if (stats.isDirectory()) {
        if (ignore.wholeFolder(inside)) continue;
        if (!ignore.file(inside)) await add(`${inside}/`, { type: "directory", mode: 0o755 });
        await addFolder(inside);
      } else if (ignore.file(inside)) continue;
      else if (stats.isSymbolicLink()) {
        const linkname = await readlink(join(folder, inside));
        await add(inside, { type: "symlink", mode: 0o777, linkname });
      } else if (stats.isFile()) {
        if (size + stats.size > largest) size = largest;
        const content = size < largest ? await readFile(join(folder, inside)) : Buffer.alloc(0);
        await add(inside, { type: "file", mode: (stats.mode & 0o100) === 0 ? 0o644 : 0o755 }, content);
      }
    }
  };

  try {
    await addFolder("");
  } catch (error) {
    archive.destroy();
    if (error instanceof ContextError) throw error;
    throw new ContextError(`it can't be read: ${(error as Error).message}`, { cause: error });
  }
  archive.finalize();
  return packed;
}
