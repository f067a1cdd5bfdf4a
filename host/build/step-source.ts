import { readdir, readFile, realpath } from "node:fs/promises";
import { basename, dirname, extname, join, relative } from "node:path";
import type { CapabilityName } from "../../runtime/capabilities.ts";
import type { RuntimeName } from "../../runtime/driver.ts";
import type { LanguageName } from "../function/language.ts";
import { existing, findPath, isInside, isThere, outside, type PathProblem } from "./find-path.ts";
import type { Language } from "./languages/language.ts";
import { buildLanguages } from "./languages/languages.ts";

/** The file or folder that a step is built from. */
export interface StepSource {
  /** The runtime whose packer makes an artifact of it. */
  readonly runtime: RuntimeName;
  /** A language to build; a component that is there; one that a command of the user's writes, or a registry has; a Dockerfile's folder; a folder as it is. */
  readonly kind: LanguageName | "wasm" | "command" | "oci" | "context" | "folder";
  /** Absolute, symbolic links resolved. */
  readonly file: string;
  /** Kind javascript: the capabilities of the step that is built, on which its imports depend. */
  readonly grants?: readonly CapabilityName[];
  /** Kind javascript: on StarlingMonkey, instead of QuickJS. */
  readonly interpreter?: "starlingmonkey";
  /** Kind command: what a shell runs, and where. */
  readonly command?: { readonly text: string; readonly folder: string };
  /** Kind context: the folder that `file`, its Dockerfile, builds. Absolute, symbolic links resolved. */
  readonly folder?: string;
}

/** What a step's path led to. */
export type FoundSource = { readonly ok: true; readonly source: StepSource } | PathProblem;

/** Where a step's path begins, and what its document says besides. */
export interface SourceWish {
  /** The project's folder: a real path. */
  readonly root: string;
  /** The document's. */
  readonly folder: string;
  /** Relative to `folder`, with forward slashes. */
  readonly path: string;
  readonly language?: LanguageName | undefined;
  readonly command?: string | undefined;
}

const wasm = ".wasm";
const all = Object.values(buildLanguages);

/** Finds a Wasm step's source: a file, a file without its extension, or a folder with a program. */
export async function findStepSource(wish: SourceWish): Promise<FoundSource> {
  const { root, folder, path, language, command } = wish;
  if (command !== undefined) return commandSource(wish, command);
  const candidates = await sameNames(join(folder, path), language);
  if (candidates.length > 1) return severalLanguages(path, candidates);
  const [only] = candidates;
  const found = await findPath(root, folder, path, only === undefined ? [wasm] : only.extensions);
  if (!found.ok) return found;
  return found.isFolder ? folderSource(found.real, wish) : fileSource(found.real, wish);
}

/** The languages of which there is a file that is called like a path, but for its extension. */
async function sameNames(wanted: string, language: LanguageName | undefined): Promise<readonly Language[]> {
  if (language !== undefined) return [buildLanguages[language]];
  const isFile = await isThere(wanted);
  const found = await Promise.all(
    all.map(async (one) => (isFile ? undefined : await existing(wanted, one.extensions))),
  );
  const languages = all.filter((_, index) => found[index] !== undefined);
  // The first one's names are those that a path which leads nowhere is compared with.
  return languages.length === 0 && !(await isThere(wanted + wasm)) ? all.slice(0, 1) : languages;
}

/** What the command writes need not be there yet, but where it will be is in the project. */
async function commandSource({ root, folder, path }: SourceWish, text: string): Promise<FoundSource> {
  const file = join(folder, path);
  let above = file;
  while (!(await isThere(above))) above = dirname(above);
  if (!isInside(root, await realpath(above))) {
    return outside(path, "leads out of the project by a symbolic link");
  }
  return { ok: true, source: { runtime: "wasm", kind: "command", file, command: { text, folder } } };
}

function fileSource(file: string, { path, language }: Pick<SourceWish, "path" | "language">): FoundSource {
  const isComponent = extname(file).toLowerCase() === wasm;
  const kind = language ?? (isComponent ? "wasm" : languageOf(file)?.name);
  if (kind !== undefined) return { ok: true, source: { runtime: "wasm", kind, file } };
  const extensions = [...all.flatMap((one) => one.extensions), wasm];
  return {
    ok: false,
    code: "ERR_FUNCTION_PATH_KIND",
    message: `${path} is nothing that a Wasm step is built from; there are ${extensions.join(" ")}`,
  };
}

function languageOf(file: string): Language | undefined {
  return all.find((language) => hasExtension(language, file));
}

function hasExtension({ extensions }: Language, file: string): boolean {
  return extensions.includes(extname(file).toLowerCase());
}

/** The program that a folder holds: of the language that is named, or of the one that it has. */
async function folderSource(
  real: string,
  { root, folder, path, language }: SourceWish,
): Promise<FoundSource> {
  const script = await scriptEntry(real);
  const entries = await readdir(real, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isFile()).map(({ name }) => name);
  const found = languagesIn(names, basename(real), script !== undefined && extname(script) !== wasm);
  if (language === undefined && found.length > 1) return severalLanguages(path, found);
  const kind = language ?? found[0]?.name;
  if (kind !== undefined && kind !== "javascript") {
    return { ok: true, source: { runtime: "wasm", kind, file: real } };
  }
  if (script === undefined) {
    const message = `the folder ${path} holds no program: no index.ts or index.js, no package.json that names one, no Cargo.toml, go.mod, build.zig, main.c, main.py, no ${basename(real)}.ts and its like`;
    return { ok: false, code: "ERR_FUNCTION_PATH_MISSING", message };
  }
  const entry = await realpath(script);
  return isInside(root, entry)
    ? fileSource(entry, { path: relative(folder, script) })
    : outside(path, "names a program outside of the project");
}

/**
 * The languages of which a folder holds a program: by a manifest, or by a file that begins one (main.x, index.x, or
 * called like the folder). Where nothing of that is there, files of one language alone are a program too.
 */
function languagesIn(names: readonly string[], folder: string, hasScript: boolean): readonly Language[] {
  const begins = new Set(["main", "index", folder]);
  const isBegun = (language: Language): boolean =>
    names.some(
      (name) =>
        language.manifests.includes(name) ||
        (hasExtension(language, name) && begins.has(basename(name, extname(name)))),
    );
  const compiled = all.filter(({ name }) => name !== "javascript");
  const begun = [...(hasScript ? [buildLanguages.javascript] : []), ...compiled.filter(isBegun)];
  if (begun.length > 0) return begun;
  return compiled.filter((language) => names.some((name) => hasExtension(language, name)));
}

function severalLanguages(path: string, languages: readonly Language[]): PathProblem {
  const titles = languages.map(({ title }) => title).join(" and ");
  const names = languages.map(({ name }) => name).join(" or ");
  const message = `${path} holds programs in several languages: ${titles}. Choose with "runtime": { "type": "wasm", "language": "…" } (${names}), or point the path to one file`;
  return { ok: false, code: "ERR_FUNCTION_LANGUAGE", message };
}

/** The JavaScript of a folder, or a component in its place. */
async function scriptEntry(folder: string): Promise<string | undefined> {
  const endings = [...buildLanguages.javascript.extensions, wasm];
  const named = await packageEntry(folder);
  if (named !== undefined) return existing(join(folder, named), endings);
  for (const name of ["index", basename(folder)]) {
    for (const ending of endings) {
      if (await isThere(join(folder, name + ending))) return join(folder, name + ending);
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
