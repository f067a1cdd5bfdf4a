import type { Json } from "../../runtime/json.ts";
import { parseDuration } from "../function/duration.ts";
import type { ValueEvaluation } from "../function/expression.ts";

/** When an edge is taken that waits until a time which data gives, in milliseconds since 1970; or why that is none. */
export type WaitUntil =
  | { readonly ok: true; readonly at: number }
  | { readonly ok: false; readonly message: string };

const timestamp = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/i;

/** As for waits whose length the document gives: 366 days. */
const longestMs = 366 * 24 * 3_600_000;

/** `from`: when the step has completed that the edge comes from; a duration counts from there. */
export function waitUntil(source: string, evaluation: ValueEvaluation, from: number): WaitUntil {
  const refuse = (what: string): WaitUntil => ({
    ok: false,
    message: `\`waitUntil\` (${source}) gives ${what}.`,
  });
  if (evaluation.kind !== "value") return refuse(`nothing: ${evaluation.message}`);
  const { value } = evaluation;
  const at = timeOf(value, from);
  if (at === undefined) {
    const text = JSON.stringify(value);
    const shown = text.length > 60 ? `${text.slice(0, 60)}…` : text;
    return refuse(`${shown}, which is no time (RFC 3339, or milliseconds) and no duration`);
  }
  return at - from > longestMs ? refuse("a time more than 366 days ahead") : { ok: true, at };
}

function timeOf(value: Json, from: number): number | undefined {
  if (typeof value === "number") return value >= 0 ? Math.ceil(value) : undefined;
  if (typeof value !== "string") return undefined;
  if (timestamp.test(value)) {
    // oxlint-disable-next-line no-restricted-globals -- reads a text, not the clock
    const at = Date.parse(value.toUpperCase());
    return Number.isNaN(at) ? undefined : Math.max(at, 0);
  }
  const duration = parseDuration(value);
  return duration === undefined ? undefined : from + duration;
}
