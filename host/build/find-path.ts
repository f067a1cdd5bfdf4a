import { readdir, realpath, stat } from "node:fs/promises";
import { dirname, extname, join, relative, sep } from "node:path";
import { nearest } from "../nearest.ts";

/** Why a step's path leads to nothing that its runtime could run. */
export interface PathProblem {
  readonly ok: false;
  readonly code:
    | "ERR_FUNCTION_PATH_OUTSIDE"
    | "ERR_FUNCTION_PATH_MISSING"
    | "ERR_FUNCTION_PATH_KIND"
    | "ERR_FUNCTION_LANGUAGE";
  readonly message: string;
  readonly suggestion?: string;
}

/** What a step's path leads to, its symbolic links resolved. */
export type FoundPath =
  | { readonly ok: true; readonly real: string; readonly isFolder: boolean }
  | PathProblem;

/**
 * Finds what is at a step's path, or with one of `extensions` behind it, below the project's `root` (a real path).
 * `folder`: the one of the document.
 */
export async function findPath(
  root: string,
  folder: string,
  path: string,
  extensions: readonly string[] = [],
): Promise<FoundPath> {
  const found = await existing(join(folder, path), extensions);
  if (found === undefined) return missing(root, folder, path, extensions);
  const real = await realpath(found);
  if (!isInside(root, real)) return outside(path, "leads out of the project by a symbolic link");
  return { ok: true, real, isFolder: (await stat(real)).isDirectory() };
}

/** The problem of a path that leads out of the project. */
export function outside(path: string, how: string): PathProblem {
  return { ok: false, code: "ERR_FUNCTION_PATH_OUTSIDE", message: `${path} ${how}` };
}

/** Whether a file is in a folder, or the folder itself. Both are real paths. */
export function isInside(root: string, file: string): boolean {
  return file === root || file.startsWith(root.endsWith(sep) ? root : root + sep);
}

/** The path itself, or with one of the extensions behind it. */
export async function existing(wanted: string, extensions: readonly string[]): Promise<string | undefined> {
  for (const extension of ["", ...extensions]) {
    if (await isThere(wanted + extension)) return wanted + extension;
  }
  return undefined;
}

/** Whether a path leads to anything. */
export async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR" || code === "ELOOP") return false;
    throw error;
  }
}

async function missing(
  root: string,
  folder: string,
  path: string,
  [extension = ""]: readonly string[],
): Promise<PathProblem> {
  const segments = path.split("/");
  let at = folder;
  for (const [index, segment] of segments.entries()) {
    if (await isThere(join(at, segment))) {
      at = join(at, segment);
      continue;
    }
    const names = await namesIn(at);
    const close =
      nearest(segment, names) ?? nearest(`${segment}${extname(segment) === "" ? extension : ""}`, names);
    const place = relative(dirname(root), at).split(sep).slice(1).join("/");
    const message = `there is no ${path}: ${place === "" ? "the project" : place} has no ${segment}`;
    if (close === undefined) return { ok: false, code: "ERR_FUNCTION_PATH_MISSING", message };
    const suggestion = `file://./${[...segments.slice(0, index), close, ...segments.slice(index + 1)].join("/")}`;
    return { ok: false, code: "ERR_FUNCTION_PATH_MISSING", message, suggestion };
  }
  return { ok: false, code: "ERR_FUNCTION_PATH_MISSING", message: `there is no ${path}` };
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch {
    return [];
  }
}
