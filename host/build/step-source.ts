import { readdir, readFile, realpath, stat } from "node:fs/promises";
import { basename, dirname, extname, join, relative, sep } from "node:path";
import { nearest } from "../nearest.ts";

/** The file that a step is built from. */
export interface StepSource {
  readonly kind: "javascript" | "wasm";
  /** Absolute, symbolic links resolved. */
  readonly file: string;
}

/** What a step's path led to. */
export type FoundSource =
  | { readonly ok: true; readonly source: StepSource }
  | {
      readonly ok: false;
      readonly code: "ERR_FUNCTION_PATH_OUTSIDE" | "ERR_FUNCTION_PATH_MISSING" | "ERR_FUNCTION_PATH_KIND";
      readonly message: string;
      readonly suggestion?: string;
    };

const scripts = [".ts", ".mts", ".cts", ".tsx", ".js", ".mjs", ".cjs", ".jsx"];
const wasm = ".wasm";
const extensions = [...scripts, wasm];

/** Finds a step's source: a file, a file without its extension, or a folder with one. `root` is a real path. */
export async function findStepSource(root: string, folder: string, path: string): Promise<FoundSource> {
  const wanted = join(folder, path);
  const found = await existing(wanted);
  if (found === undefined) return missing(root, folder, path);
  const real = await realpath(found);
  if (!isInside(root, real)) return outside(path, "leads out of the project by a symbolic link");
  if (!(await stat(real)).isDirectory()) return sourceOf(real, path);
  const entry = await folderEntry(real);
  if (entry === undefined) {
    const message = `the folder ${path} holds no program: no index.ts or index.js, no package.json that names one, no ${basename(real)}.ts or ${basename(real)}.js`;
    return { ok: false, code: "ERR_FUNCTION_PATH_MISSING", message };
  }
  const realEntry = await realpath(entry);
  return isInside(root, realEntry)
    ? sourceOf(realEntry, relative(folder, entry))
    : outside(path, "names a program outside of the project");
}

function outside(path: string, how: string): FoundSource {
  return { ok: false, code: "ERR_FUNCTION_PATH_OUTSIDE", message: `${path} ${how}` };
}

function isInside(root: string, file: string): boolean {
  return file === root || file.startsWith(root.endsWith(sep) ? root : root + sep);
}

function sourceOf(file: string, path: string): FoundSource {
  const extension = extname(file).toLowerCase();
  if (extension === wasm) return { ok: true, source: { kind: "wasm", file } };
  if (scripts.includes(extension)) return { ok: true, source: { kind: "javascript", file } };
  return {
    ok: false,
    code: "ERR_FUNCTION_PATH_KIND",
    message: `${path} is nothing that a Wasm step is built from; there are ${extensions.join(" ")}`,
  };
}

/** The path itself, or with one of the extensions behind it. */
async function existing(wanted: string): Promise<string | undefined> {
  for (const extension of ["", ...extensions]) {
    if (await isThere(wanted + extension)) return wanted + extension;
  }
  return undefined;
}

async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR" || code === "ELOOP") return false;
    throw error;
  }
}

async function folderEntry(folder: string): Promise<string | undefined> {
  const named = await packageEntry(folder);
  if (named !== undefined) return existing(join(folder, named));
  for (const name of ["index", basename(folder)]) {
    for (const extension of extensions) {
      const candidate = join(folder, name + extension);
      if (await isThere(candidate)) return candidate;
    }
  }
  return undefined;
}

/** `exports["."]` or `main` of the folder's package.json. */
async function packageEntry(folder: string): Promise<string | undefined> {
  let manifest: { readonly exports?: unknown; readonly main?: unknown };
  try {
    manifest = (JSON.parse(await readFile(join(folder, "package.json"), "utf8")) ?? {}) as typeof manifest;
  } catch {
    // No package.json, or none that says anything: the names decide.
    return undefined;
  }
  const entry = exportsEntry(manifest.exports) ?? manifest.main;
  return typeof entry === "string" ? entry : undefined;
}

function exportsEntry(exports: unknown): string | undefined {
  if (typeof exports === "string") return exports;
  if (typeof exports !== "object" || exports === null) return undefined;
  const record = exports as Readonly<Record<string, unknown>>;
  return exportsEntry(record["."] ?? record["import"] ?? record["default"]);
}

async function missing(root: string, folder: string, path: string): Promise<FoundSource> {
  const segments = path.split("/");
  let at = folder;
  for (const [index, segment] of segments.entries()) {
    if (await isThere(join(at, segment))) {
      at = join(at, segment);
      continue;
    }
    const names = await namesIn(at);
    const close =
      nearest(segment, names) ?? nearest(`${segment}${extname(segment) === "" ? ".ts" : ""}`, names);
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
