import ms from "ms";
import type { Json } from "../../runtime/json.ts";
import { pointerStep } from "../json-pointer.ts";
import { parseDuration } from "./duration.ts";
import type { Findings } from "./finding.ts";
import { listOf, member, objectOf, type JsonObject } from "./outline.ts";
import { parseSize } from "./size.ts";

interface Range {
  readonly least: number;
  readonly most: number;
  readonly expected: string;
}

const year = { least: 0, most: ms("366d"), expected: "0s to 366d" };
const ttl = { ...year, least: 1, expected: "1ms to 366d" };
const period = { ...year, least: 1_000, expected: "1s to 366d" };
const attempt = { least: 1, most: ms("24h"), expected: "1ms to 24h" };
const mebibyte = 2 ** 20;
const sizes: Readonly<Record<string, Range>> = {
  memory: { least: 64 * 1024, most: 4096 * mebibyte, expected: "64KiB to 4GiB" },
  output: { least: 1, most: 64 * mebibyte, expected: "1B to 64MiB" },
  logs: { least: 0, most: 64 * mebibyte, expected: "0B to 64MiB" },
  tmp: { least: 0, most: 1024 * mebibyte, expected: "0B to 1GiB" },
};
const body = { least: 0, most: 64 * mebibyte, expected: "0B to 64MiB" };

/** Checks that durations and sizes are within what can be done; what is no duration or size is the schema's to find. */
export function checkAmounts(document: Json, findings: Findings): void {
  const root = objectOf(document);
  checkRetry(root, "", findings);
  checkDuration(root, "timeout", ttl, "", findings);
  checkDuration(root, "startTimeout", ttl, "", findings);
  checkDuration(objectOf(member(root, "batch")), "timeout", ttl, "/batch", findings);
  checkDuration(objectOf(member(root, "debounce")), "period", ttl, "/debounce", findings);
  checkDuration(objectOf(member(root, "debounce")), "timeout", ttl, "/debounce", findings);
  for (const [index, cancel] of listOf(root, "cancel").entries()) {
    checkDuration(objectOf(cancel), "timeout", ttl, `/cancel/${index}`, findings);
  }
  for (const control of ["idempotency", "rateLimit", "throttle"]) {
    checkDuration(objectOf(member(root, control)), "period", period, `/${control}`, findings);
  }
  for (const [index, trigger] of listOf(root, "triggers").entries()) {
    checkDuration(objectOf(trigger), "jitter", attempt, `/triggers/${index}`, findings);
  }
  for (const [id, value] of Object.entries(objectOf(member(root, "steps")))) {
    const step = objectOf(value);
    const pointer = `/steps${pointerStep(id)}`;
    checkRetry(step, pointer, findings);
    checkDuration(step, "timeout", attempt, pointer, findings);
    checkDuration(objectOf(member(step, "invoke")), "timeout", ttl, `${pointer}/invoke`, findings);
    const limits = objectOf(member(step, "limits"));
    checkDuration(limits, "cpu", attempt, `${pointer}/limits`, findings);
    for (const [key, range] of Object.entries(sizes))
      checkSize(limits, key, range, `${pointer}/limits`, findings);
    checkSize(objectOf(member(limits, "http")), "body", body, `${pointer}/limits/http`, findings);
    for (const [index, edge] of listOf(step, "after").entries()) {
      const place = `${pointer}/after/${index}`;
      checkDuration(objectOf(edge), "wait", year, place, findings);
      checkDuration(objectOf(member(objectOf(edge), "async")), "ttl", ttl, `${place}/async`, findings);
    }
  }
}

function checkRetry(owner: JsonObject, pointer: string, findings: Findings): void {
  const backoff = objectOf(member(objectOf(member(owner, "retry")), "backoff"));
  checkDuration(backoff, "initial", year, `${pointer}/retry/backoff`, findings);
  checkDuration(backoff, "max", year, `${pointer}/retry/backoff`, findings);
}

function checkDuration(
  owner: JsonObject,
  key: string,
  range: Range,
  pointer: string,
  findings: Findings,
): void {
  const value = member(owner, key);
  const amount = typeof value === "string" ? parseDuration(value) : undefined;
  report("ERR_FUNCTION_DURATION", amount, value, range, `${pointer}/${key}`, findings);
}

function checkSize(owner: JsonObject, key: string, range: Range, pointer: string, findings: Findings): void {
  const value = member(owner, key);
  const amount = typeof value === "string" || typeof value === "number" ? parseSize(value) : undefined;
  report("ERR_FUNCTION_SIZE", amount, value, range, `${pointer}/${key}`, findings);
}

function report(
  code: "ERR_FUNCTION_DURATION" | "ERR_FUNCTION_SIZE",
  amount: number | undefined,
  value: Json | undefined,
  { least, most, expected }: Range,
  pointer: string,
  findings: Findings,
): void {
  if (amount === undefined || (amount >= least && amount <= most)) return;
  findings.add({ code, pointer, message: `${JSON.stringify(value)} is outside of ${expected}`, expected });
}
