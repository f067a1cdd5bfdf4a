import { createHash } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import { dirname, join, sep } from "node:path";

/** What a bundle was made of: its files, and the folders whose names decide what an import finds. */
export interface InputSnapshot {
  readonly files: readonly FileState[];
  readonly folders: readonly { readonly path: string; readonly names: string }[];
}

interface FileState {
  readonly path: string;
  readonly size: number;
  readonly mtimeMs: number;
  readonly sha256: string;
}

/** The sha256 of bytes or text, in hex. */
export function sha256(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}

/**
 * Takes down the state of all inputs. Undefined when one changed after `since` (milliseconds since 1970): what the
 * bundle has of it is not known then.
 */
export async function takeSnapshot(
  root: string,
  inputs: readonly string[],
  since: number,
): Promise<InputSnapshot | undefined> {
  const own = inputs.filter(
    (path) => path.startsWith(root + sep) && !path.includes(`${sep}node_modules${sep}`),
  );
  const folders = [...new Set(own.flatMap((path) => foldersUpTo(root, dirname(path))))].toSorted();
  // They say how imports are resolved, and are no inputs themselves.
  const manifests = [...folders, ...packageFolders(inputs)].flatMap((folder) =>
    ["package.json", "tsconfig.json"].map((name) => join(folder, name)),
  );
  const files: FileState[] = [];
  for (const path of new Set([...inputs, ...manifests])) {
    const state = await fileState(path);
    if (state === undefined) continue;
    if (state.mtimeMs >= since) return undefined;
    files.push(state);
  }
  const names = await Promise.all(folders.map(async (path) => ({ path, names: await namesDigest(path) })));
  return { files, folders: names };
}

/** Whether all inputs are as they were. Size and time of change speak for a file; its digest when those differ. */
export async function isCurrent(snapshot: InputSnapshot): Promise<boolean> {
  const files = await Promise.all(snapshot.files.map(isSameFile));
  const folders = await Promise.all(
    snapshot.folders.map(async ({ path, names }) => (await namesDigest(path)) === names),
  );
  return [...files, ...folders].every(Boolean);
}

async function isSameFile({ path, size, mtimeMs, sha256: digest }: FileState): Promise<boolean> {
  try {
    const now = await stat(path);
    if (now.size !== size) return false;
    return now.mtimeMs === mtimeMs || sha256(await readFile(path)) === digest;
  } catch {
    return false;
  }
}

async function fileState(path: string): Promise<FileState | undefined> {
  try {
    const { size, mtimeMs } = await stat(path);
    return { path, size, mtimeMs, sha256: sha256(await readFile(path)) };
  } catch {
    return undefined;
  }
}

async function namesDigest(folder: string): Promise<string> {
  try {
    const names = await readdir(folder);
    return sha256(
      names
        .filter((name) => !name.startsWith("."))
        .toSorted()
        .join("\0"),
    );
  } catch {
    return "";
  }
}

function foldersUpTo(root: string, folder: string): readonly string[] {
  return folder === root || folder === dirname(folder)
    ? [folder]
    : [folder, ...foldersUpTo(root, dirname(folder))];
}

/** The folders of the npm packages that inputs are in. */
function packageFolders(inputs: readonly string[]): readonly string[] {
  const folders = inputs.flatMap(
    (path) => /^.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+(?=[\\/])/.exec(path)?.[0] ?? [],
  );
  return [...new Set(folders)];
}
