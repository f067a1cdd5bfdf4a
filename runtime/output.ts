import type { StepFailure } from "./driver.ts";
import { failure } from "./failure.ts";
import type { Json } from "./json.ts";

/** JSON text that was read, or why it can't be taken. */
export type ParsedOutput =
  | { readonly ok: true; readonly value: Json }
  | { readonly ok: false; readonly reason: "syntax" | "refused"; readonly message: string };

/** Outputs nested deeper than this are refused: whatever handles them later may recurse. */
const deepest = 1_000;

/** What a number beyond a double's range looks like. It is looked for only where digits begin: in linear time. */
const hugeNumber = /[eE]\+?\d{3}|(?:^|\D)\d{309}/;

/** Reads a step's output. Deep nesting and numbers beyond a double's range are refused, as JSON could not carry them on. */
export function parseOutput(text: string): ParsedOutput {
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch (error) {
    return { ok: false, reason: "syntax", message: (error as Error).message };
  }
  // Text this short can't nest too deep.
  if (text.length > 2 * deepest && nestsTooDeep(text)) {
    return { ok: false, reason: "refused", message: `it nests deeper than ${deepest} levels` };
  }
  // Only such a number can be out of range, and looking at every value would cost more than reading it.
  if (hugeNumber.test(text) && !isFinite(value)) {
    return { ok: false, reason: "refused", message: "it has a number beyond the range of a double" };
  }
  return { ok: true, value };
}

/**
 * The output of a program that printed this: null for nothing, and a string for text that is not JSON, without the
 * line break at its end.
 */
export function programOutput(
  text: string,
): { readonly ok: true; readonly output: Json } | { readonly ok: false; readonly failure: StepFailure } {
  if (text === "") return { ok: true, output: null };
  const parsed = parseOutput(text);
  if (parsed.ok) return { ok: true, output: parsed.value };
  if (parsed.reason === "syntax") return { ok: true, output: text.replace(/\r?\n$/, "") };
  const message = `The step's output can't be kept: ${parsed.message}.`;
  return { ok: false, failure: failure("ERR_STEP_OUTPUT_INVALID", message) };
}

/** Counts the open brackets of JSON text outside of its strings. */
function nestsTooDeep(text: string): boolean {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x22) {
      at = closingQuote(text, at);
      if (at === -1) return false;
    } else if (code === 0x5b || code === 0x7b) {
      if (++depth > deepest) return true;
    } else if (code === 0x5d || code === 0x7d) depth--;
  }
  return false;
}

function closingQuote(text: string, opening: number): number {
  for (let at = text.indexOf('"', opening + 1); at !== -1; at = text.indexOf('"', at + 1)) {
    let backslashes = 0;
    while (text.charCodeAt(at - 1 - backslashes) === 0x5c) backslashes++;
    if (backslashes % 2 === 0) return at;
  }
  return -1;
}

function isFinite(value: Json): boolean {
  if (typeof value === "number") return Number.isFinite(value);
  if (value === null || typeof value !== "object") return true;
  return Object.values(value).every(isFinite);
}
