import type { Problem } from "../errors.ts";
import { pointerStep } from "../json-pointer.ts";
import { nearest } from "../nearest.ts";
import { typeOf } from "../schema-problem.ts";
import { eventNameRule, isEventName } from "./event-name.ts";
import { checkJson } from "./json-check.ts";
import { isTraceparent } from "./traceparent.ts";

/** An event as its sender wrote it, while it is checked. */
export interface Given {
  readonly fields: Readonly<Record<string, unknown>>;
  /** What every pointer begins with: "" or the event's index. */
  readonly base: string;
  readonly problems: Problem[];
  /** Grows by the bytes that the JSON of the fields read so far has at most. */
  bound: number;
}

const known = ["name", "data", "user", "id", "ts", "v", "traceparent", "attributes"];
const longestText = 256;
/** The last millisecond that a Date can hold. */
const lastTime = 8_640_000_000_000_000;
/** Control characters and halves of surrogate pairs: neither survives headers, logs and file names. */
const unsafe = /[\p{Cc}\p{Cs}]/u;

/** Reports the fields that no event has. */
export function checkFieldNames({ fields, base, problems }: Given): void {
  for (const key in fields) {
    if (known.includes(key)) continue;
    const pointer = base + pointerStep(key);
    if (key === "__proto__") {
      problems.push({
        code: "ERR_EVENT_FORBIDDEN_KEY",
        message: "the key `__proto__` is not allowed",
        pointer,
      });
      continue;
    }
    const close = nearest(key, known);
    problems.push({
      code: "ERR_EVENT_INVALID",
      message: `an event has no field ${JSON.stringify(key)}; what is the sender's own goes into \`data\``,
      pointer,
      expected: `one of ${known.join(", ")}`,
      ...(close === undefined ? {} : { suggestion: close }),
    });
  }
}

/** The event's name, or "" and a problem. */
export function readName(given: Given): string {
  const name = given.fields["name"] ?? undefined;
  if (isEventName(name)) return name;
  if (name === undefined) report(given, "", "the event's `name` is missing", "a property `name`");
  else if (typeof name === "string")
    report(given, "/name", `\`name\` must be ${eventNameRule}`, eventNameRule);
  else wrongType(given, "name", name, "string");
  return "";
}

/** An object of JSON; `default_` where there is none. */
export function readObject<T>(given: Given, key: string, default_: T): object | T {
  const value = given.fields[key] ?? undefined;
  if (value === undefined) return default_;
  if (typeof value !== "object" || Array.isArray(value)) {
    wrongType(given, key, value, "object");
    return default_;
  }
  given.bound += checkJson(value, `${given.base}/${key}`, given.problems);
  return value;
}

/** The event's user: an object, or the id alone. */
export function readUser(given: Given): object | string | undefined {
  const user = given.fields["user"];
  if (typeof user === "string") {
    given.bound += checkJson(user, `${given.base}/user`, given.problems);
    return user;
  }
  if (typeof user === "object") return readObject(given, "user", undefined);
  if (user !== undefined) wrongType(given, "user", user, "object or string");
  return undefined;
}

/** CloudEvents attributes: an object of plain values. */
export function readAttributes(given: Given): object | undefined {
  const attributes = readObject(given, "attributes", undefined);
  for (const [key, value] of Object.entries(attributes ?? {})) {
    if (typeof value !== "object") continue;
    const message = `an attribute must be a string, a number or a boolean, and is ${typeOf(value)}`;
    report(given, `/attributes${pointerStep(key)}`, message, "string, number or boolean");
  }
  return attributes;
}

/** A short text such as an id. */
export function readText(given: Given, key: string): string | undefined {
  const value = given.fields[key] ?? undefined;
  if (value === undefined) return undefined;
  if (typeof value === "string" && value !== "" && value.length <= longestText && !unsafe.test(value))
    return value;
  const rule = `a string of 1 to ${longestText} characters without control characters`;
  report(given, `/${key}`, `\`${key}\` must be ${rule}`, rule);
  return undefined;
}

/** When it happened, in milliseconds since 1970-01-01T00:00:00Z; `now` where the sender does not say. */
export function readTime(given: Given, now: number): number {
  const ts = given.fields["ts"] ?? now;
  if (Number.isSafeInteger(ts) && (ts as number) >= 0 && (ts as number) <= lastTime) return ts as number;
  report(given, "/ts", "`ts` must be a whole number of milliseconds since 1970-01-01T00:00:00Z", "integer");
  return now;
}

/** The W3C trace context of the sender. */
export function readTraceparent(given: Given): string | undefined {
  const value = given.fields["traceparent"] ?? undefined;
  if (value === undefined || (typeof value === "string" && isTraceparent(value))) return value;
  const expected = "00-<32 hex digits>-<16 hex digits>-<2 hex digits>";
  report(given, "/traceparent", "`traceparent` is not a W3C trace context", expected);
  return undefined;
}

function wrongType(given: Given, key: string, value: unknown, expected: string): void {
  report(given, `/${key}`, `\`${key}\` must be ${expected}, and is ${typeOf(value)}`, expected);
}

function report({ base, problems }: Given, pointer: string, message: string, expected: string): void {
  problems.push({ code: "ERR_EVENT_INVALID", message, pointer: base + pointer, expected });
}
