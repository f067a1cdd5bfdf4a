import { stat } from "node:fs/promises";
import { buffer } from "node:stream/consumers";
import { findJsonFault } from "../json-fault.ts";
import { isEventName } from "../event/event-name.ts";
import { CliError } from "./errors.ts";
import { readInputFile } from "./input-file.ts";

/** An event as the user gave it: not checked yet. */
export type RawEvent = Readonly<Record<string, unknown>>;

/** Where JSON is asked for, a file is not the only way to give it. */
const orJson = "Check the path; JSON can also be given itself, or on stdin with `-`.";

/** Reads JSON given as itself, as a file's name or as `-` for stdin. Throws ERR_INPUT_FILE and ERR_INPUT_JSON. */
export async function readJson(source: string): Promise<unknown> {
  if (source === "-") return parseJson(await buffer(process.stdin), "stdin");
  if (isJson(source)) return parseJson(source, "the command line");
  return parseJson(await readInputFile(source, orJson), source);
}

/**
 * Reads events given as JSON, a file, `-`, or the event's name alone; `data` and `user` are JSON too and
 * replace what the event has. Throws ERR_INPUT_FILE, ERR_INPUT_JSON and ERR_USAGE.
 */
export async function readEvents(
  source: string,
  fields: { readonly data?: string; readonly user?: string },
): Promise<readonly unknown[]> {
  const given = (await isName(source)) ? { name: source } : await readJson(source);
  const more = {
    ...(fields.data === undefined ? {} : { data: await readJson(fields.data) }),
    ...(fields.user === undefined ? {} : { user: await readUser(fields.user) }),
  };
  const events: readonly unknown[] = Array.isArray(given) ? given : [given];
  if (Object.keys(more).length === 0) return events;
  return events.map((event) => (isObject(event) ? { ...event, ...more } : event));
}

/** JSON itself and no file; JSON without a space could name an event, too, and is never meant to. */
function isJson(source: string): boolean {
  return /^\s*[[{"]/.test(source);
}

/** A name unless it is plainly JSON, or a file of that name is there. */
async function isName(source: string): Promise<boolean> {
  if (source === "-" || isJson(source) || !isEventName(source) || source.endsWith(".json")) return false;
  return !(await stat(source).then(
    (found) => found.isFile(),
    () => false,
  ));
}

/** A user is often just an id, which needs no quotes here. */
async function readUser(source: string): Promise<unknown> {
  return isJson(source) || /^-$|\.json$/.test(source) ? readJson(source) : source;
}

export function isObject(value: unknown): value is RawEvent {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function parseJson(input: string | Uint8Array, from: string): unknown {
  let text: string;
  try {
    text = typeof input === "string" ? input : new TextDecoder("utf-8", { fatal: true }).decode(input);
  } catch (error) {
    throw new CliError("ERR_INPUT_JSON", `${from} is not UTF-8.`, { cause: error });
  }
  if (text.trim() === "") throw new CliError("ERR_INPUT_JSON", `${from} is empty, and should be JSON.`);
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    const fault = findJsonFault(text);
    if (fault === undefined) throw new CliError("ERR_INPUT_JSON", (error as Error).message, { cause: error });
    const { line, column, expected, found } = fault;
    const message = `expected ${expected}, and found ${found === undefined ? "the end" : JSON.stringify(found)}`;
    throw new CliError("ERR_INPUT_JSON", `${from} is not JSON: ${message}.`, {
      cause: error,
      problems: [{ code: "ERR_INPUT_JSON", file: from, line, column, message }],
    });
  }
}
