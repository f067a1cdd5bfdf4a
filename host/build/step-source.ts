import { readFile, realpath } from "node:fs/promises";
import { basename, extname, join, relative } from "node:path";
import type { RuntimeName } from "../../runtime/driver.ts";
import { existing, findPath, isInside, isThere, outside, type PathProblem } from "./find-path.ts";

/** The file or folder that a step is built from. */
export interface StepSource {
  /** The runtime whose packer makes an artifact of it. */
  readonly runtime: RuntimeName;
  readonly kind: "javascript" | "wasm";
  /** Absolute, symbolic links resolved. */
  readonly file: string;
}

/** What a step's path led to. */
export type FoundSource = { readonly ok: true; readonly source: StepSource } | PathProblem;

const scripts = [".ts", ".mts", ".cts", ".tsx", ".js", ".mjs", ".cjs", ".jsx"];
const wasm = ".wasm";
const extensions = [...scripts, wasm];

/** Finds a Wasm step's source: a file, a file without its extension, or a folder with one. `root` is a real path. */
export async function findStepSource(root: string, folder: string, path: string): Promise<FoundSource> {
  const found = await findPath(root, folder, path, extensions);
  if (!found.ok) return found;
  const { real, isFolder } = found;
  if (!isFolder) return sourceOf(real, path);
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

function sourceOf(file: string, path: string): FoundSource {
  const extension = extname(file).toLowerCase();
  if (extension === wasm) return { ok: true, source: { runtime: "wasm", kind: "wasm", file } };
  if (scripts.includes(extension)) return { ok: true, source: { runtime: "wasm", kind: "javascript", file } };
  return {
    ok: false,
    code: "ERR_FUNCTION_PATH_KIND",
    message: `${path} is nothing that a Wasm step is built from; there are ${extensions.join(" ")}`,
  };
}

async function folderEntry(folder: string): Promise<string | undefined> {
  const named = await packageEntry(folder);
  if (named !== undefined) return existing(join(folder, named), extensions);
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
