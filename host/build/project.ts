import { readdir, readFile, realpath } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { Json } from "../../runtime/json.ts";
import type { Problem } from "../errors.ts";
import type { FunctionDocument } from "../function/document.ts";
import { loadFunction } from "../function/load.ts";
import { isOciReference } from "../function/oci-reference.ts";
import type { Position } from "../function/position.ts";
import { parseStepPath } from "../function/step-path.ts";
import { pointerOf } from "../json-pointer.ts";
import { loadEventSchemas } from "./event-schemas.ts";
import { type Display, displayUnder } from "./display.ts";
import { packers } from "./packers.ts";
import type { StepSource } from "./step-source.ts";

/** A folder of function documents, their steps and the schemas of their events. */
export interface Project {
  /** Absolute, symbolic links resolved. */
  readonly root: string;
  readonly functions: readonly ProjectFunction[];
  /** JSON Schemas of events' data, by event name. */
  readonly eventSchemas: Readonly<Record<string, Json>>;
  /** All that is wrong, over all files. A function with a problem is not among `functions`. */
  readonly problems: readonly Problem[];
  /** A file's name as the user would write it. */
  readonly display: Display;
}

/** One function document, and what its steps are built from. */
export interface ProjectFunction {
  /** Absolute. */
  readonly file: string;
  readonly document: FunctionDocument;
  /** By step id; a step that has no files of its own has none. */
  readonly sources: ReadonlyMap<string, StepSource>;
  /** Where the value that a JSON pointer into the document names begins. */
  positionOf(pointer: string): Position | undefined;
}

/** Folders that hold no documents of the project's own. */
const ignored = new Set(["node_modules", "dist"]);

/**
 * The project that `folder` is in: `folder` itself when a function document is in it or below it, else the nearest
 * folder upwards with a document or with what Millrace built (`.millrace`), else `folder`.
 */
export async function findProject(folder: string): Promise<string> {
  const start = resolve(folder);
  if ((await documents(start)).length > 0) return start;
  for (let at = start; at !== dirname(at); at = dirname(at)) {
    const names = await namesIn(at);
    if (names.includes(".millrace") || names.some(isDocument)) return at;
  }
  return start;
}

/** Whether a file name is that of a function document. */
function isDocument(name: string): boolean {
  return name === "function.json" || name.endsWith(".function.json");
}

/** Reads every document and schema below a folder, and finds the steps' sources. Problems are values, not throws. */
export async function loadProject(folder: string): Promise<Project> {
  const root = await realpath(folder);
  const display = displayUnder(root, folder);
  const files = await documents(root);
  const functions: ProjectFunction[] = [];
  const problems: Problem[] = [];
  for (const file of files) {
    const loaded = await loadOne(root, file, display);
    problems.push(...loaded.problems);
    if (loaded.problems.length === 0 && loaded.function !== undefined) functions.push(loaded.function);
  }
  const events = await loadEventSchemas([root, ...files.map(dirname)], display);
  const doubles = sameIds(functions, display);
  return {
    root,
    functions: functions.filter(({ file }) => !doubles.files.has(file)),
    eventSchemas: events.schemas,
    problems: [...problems, ...doubles.problems, ...events.problems],
    display,
  };
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch {
    // A folder above that can't be read is no project of this user.
    return [];
  }
}

async function documents(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const found: string[] = [];
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    if (entry.isFile() && isDocument(entry.name)) found.push(path);
    else if (entry.isDirectory() && !entry.name.startsWith(".") && !ignored.has(entry.name)) {
      found.push(...(await documents(path)));
    }
  }
  return found;
}

async function loadOne(
  root: string,
  file: string,
  display: Display,
): Promise<{ readonly function?: ProjectFunction; readonly problems: readonly Problem[] }> {
  const loaded = loadFunction(await readFile(file), { file: display(file) });
  if (!loaded.ok) return loaded;
  const { document } = loaded;
  const sources = new Map<string, StepSource>();
  const problems: Problem[] = [];
  for (const [id, step] of Object.entries(document.steps)) {
    const packer = packers[step.runtime?.type ?? "wasm"];
    if (packer === undefined || step.path === undefined) continue;
    if (isOciReference(step.path)) {
      sources.set(id, { runtime: "wasm", kind: "oci", file: step.path });
      continue;
    }
    const path = parseStepPath(step.path);
    // loadFunction has said so already.
    if (!path.ok) continue;
    const found = await packer.find({ root, folder: dirname(file), path: path.path, step });
    if (found.ok) sources.set(id, found.source);
    else {
      const { ok: _, ...rest } = found;
      const pointer = pointerOf(["steps", id, "path"]);
      problems.push({ ...rest, file: display(file), pointer, ...loaded.positionOf(pointer) });
    }
  }
  return { function: { file, document, sources, positionOf: loaded.positionOf }, problems };
}

/** Functions that share an id, and a problem for each file but the first of it. */
function sameIds(functions: readonly ProjectFunction[], display: Display) {
  const files = new Set<string>();
  const problems: Problem[] = [];
  for (const [id, [first, ...others]] of Map.groupBy(functions, ({ document }) => document.id)) {
    if (first === undefined || others.length === 0) continue;
    files.add(first.file);
    for (const { file, positionOf } of others) {
      files.add(file);
      const message = `the function id ${JSON.stringify(id)} is taken by ${display(first.file)}`;
      const place = { file: display(file), pointer: "/id", ...positionOf("/id") };
      problems.push({ code: "ERR_FUNCTION_ID_TAKEN", message, ...place });
    }
  }
  return { files, problems };
}
