import { readdir, readFile } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import type { Json } from "../../runtime/json.ts";
import { MillraceError, type Problem } from "../errors.ts";
import { eventNameRule, isEventName } from "../event/event-name.ts";
import { findJsonFault } from "../json-fault.ts";
import type { Display } from "./display.ts";

/** The JSON Schemas of a project's events, by event name. */
export interface EventSchemaFiles {
  readonly schemas: Readonly<Record<string, Json>>;
  readonly problems: readonly Problem[];
}

const extension = ".json";

/** Reads `events/<name>.json` below each of the folders; a slash in an event's name is a folder. */
export async function loadEventSchemas(
  folders: Iterable<string>,
  display: Display,
): Promise<EventSchemaFiles> {
  const schemas = new Map<string, Json>();
  const files = new Map<string, string>();
  const problems: Problem[] = [];
  for (const folder of new Set(folders)) {
    for (const path of await jsonFiles(join(folder, "events"))) {
      const name = relative(join(folder, "events"), path).slice(0, -extension.length).replaceAll(sep, "/");
      const file = display(path);
      const other = files.get(name);
      if (!isEventName(name)) {
        problems.push({
          code: "ERR_SCHEMA_INVALID",
          message: `${JSON.stringify(name)} can't be an event's name`,
          file,
          expected: eventNameRule,
        });
      } else if (other !== undefined) {
        problems.push({
          code: "ERR_SCHEMA_INVALID",
          message: `the event ${name} has a schema in ${other} already`,
          file,
        });
      } else {
        files.set(name, file);
        const schema = parse(await readFile(path, "utf8"), file);
        if ("problem" in schema) problems.push(schema.problem);
        else schemas.set(name, schema.value);
      }
    }
  }
  problems.push(...(await compileProblems(schemas, files)));
  return { schemas: Object.fromEntries(schemas), problems };
}

async function jsonFiles(folder: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile() && entry.name.endsWith(extension))
      .map((entry) => join(entry.parentPath, entry.name))
      .toSorted();
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === "ENOENT" || code === "ENOTDIR";
}

function parse(marked: string, file: string): { readonly value: Json } | { readonly problem: Problem } {
  const text = marked.replace(/^\ufeff/, "");
  try {
    return { value: JSON.parse(text) as Json };
  } catch (error) {
    const fault = findJsonFault(text);
    const found = fault?.found === undefined ? "the end" : JSON.stringify(fault.found);
    const message =
      fault === undefined ? (error as Error).message : `expected ${fault.expected}, and found ${found}`;
    const at = fault === undefined ? {} : { line: fault.line, column: fault.column };
    return {
      problem: { code: "ERR_SCHEMA_INVALID", message: `the schema is not JSON: ${message}`, file, ...at },
    };
  }
}

async function compileProblems(
  schemas: ReadonlyMap<string, Json>,
  files: ReadonlyMap<string, string>,
): Promise<readonly Problem[]> {
  if (schemas.size === 0) return [];
  const { compileEventSchemas } = await import("../event/schemas.ts");
  try {
    compileEventSchemas(Object.fromEntries(schemas), Object.fromEntries(files));
    return [];
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error;
    return error.problems;
  }
}
