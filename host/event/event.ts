import { v7 } from "uuid";
import type { Json } from "../../runtime/json.ts";
import type { Random } from "../clock.ts";
import type { Problem } from "../errors.ts";
import { pointerStep } from "../json-pointer.ts";
import { nearest } from "../nearest.ts";
import { typeOf } from "../schema-problem.ts";
import { eventNameRule, isEventName } from "./event-name.ts";
import { checkJson } from "./json-check.ts";
import type { EventSchemas } from "./schemas.ts";

/** An event as it is stored and matched. `ts` is in milliseconds since 1970-01-01T00:00:00Z. */
export interface Event {
  readonly id: string;
  readonly name: string;
  readonly data: Json;
  readonly user?: Json;
  readonly ts: number;
  readonly v?: string;
  /** W3C trace context of the sender, carried to every step. */
  readonly traceparent?: string;
}

/** What parsing gave: the event, or all that is wrong with the input. */
export type ParsedEvent =
  | { readonly ok: true; readonly event: Event }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** What parsing needs from outside. */
export interface ParseEventOptions {
  /** The event's `ts` when it has none, and the time in a new id; milliseconds since 1970-01-01T00:00:00Z. */
  readonly now: number;
  readonly random: Random;
  readonly schemas: EventSchemas;
  /** The event's place in its request: pointers then begin with it. */
  readonly index?: number;
}

/** The largest event: bytes of UTF-8 of its JSON. */
export const largestEvent = 256 * 1024;

const fields = ["name", "data", "user", "id", "ts", "v", "traceparent"];
const longestId = 256;
/** The last millisecond that a Date can hold. */
const lastTime = 8_640_000_000_000_000;
/** Control characters and halves of surrogate pairs: neither survives headers, logs and file names. */
const unsafe = /[\p{Cc}\p{Cs}]/u;
const traceparent = /^(?!ff)[\da-f]{2}-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}(?:$|(?<!^00.*)-)/;

/**
 * Checks one event as a sender wrote it and fills in `id` (a UUIDv7), `ts` and `data` ({}) where they are missing;
 * null counts as missing. Problems have the codes ERR_EVENT_…, all of them at once.
 */
export function parseEvent(input: unknown, options: ParseEventOptions): ParsedEvent {
  const base = options.index === undefined ? "" : `/${options.index}`;
  const problems: Problem[] = [];
  const report = (pointer: string, message: string, more?: Partial<Problem>): void => {
    problems.push({ code: "ERR_EVENT_INVALID", message, pointer: base + pointer, ...more });
  };
  if (typeof input !== "object" || input === null || Array.isArray(input)) {
    report("", `an event must be an object, and is ${typeOf(input)}`, { expected: "object" });
    return { ok: false, problems };
  }
  const given = input as Readonly<Record<string, unknown>>;
  let size = 0;
  for (const key in given) {
    if (!fields.includes(key)) unknownField(key, base, problems);
  }
  const name = given["name"];
  if (!isEventName(name)) report(...nameProblem(name));
  const data = given["data"] ?? {};
  if (typeof data !== "object" || Array.isArray(data)) {
    report("/data", `\`data\` must be an object, and is ${typeOf(data)}`, { expected: "object" });
  } else size += checkJson(data, `${base}/data`, problems);
  const user = given["user"] ?? undefined;
  if (user !== undefined) {
    if (typeof user === "string" || (typeof user === "object" && !Array.isArray(user))) {
      size += checkJson(user, `${base}/user`, problems);
    } else
      report("/user", `\`user\` must be an object or a string, and is ${typeOf(user)}`, {
        expected: "object or string",
      });
  }
  const id = text(given, "id", report);
  const ts = given["ts"] ?? options.now;
  if (!Number.isSafeInteger(ts) || (ts as number) < 0 || (ts as number) > lastTime) {
    report("/ts", "`ts` must be a whole number of milliseconds since 1970-01-01T00:00:00Z", {
      expected: "integer",
    });
  }
  const v = text(given, "v", report);
  const trace = given["traceparent"] ?? undefined;
  if (trace !== undefined && !(typeof trace === "string" && trace.length <= 512 && traceparent.test(trace))) {
    report("/traceparent", "`traceparent` is not a W3C trace context", {
      expected: "00-<32 hex digits>-<16 hex digits>-<2 hex digits>",
    });
  }
  if (problems.length > 0) return { ok: false, problems };

  const event: Event = {
    id: id ?? newId(options.now, options.random),
    name: name as string,
    data: data as Json,
    ...(user === undefined ? {} : { user: user as Json }),
    ts: ts as number,
    ...(v === undefined ? {} : { v }),
    ...(trace === undefined ? {} : { traceparent: trace as string }),
  };
  checkSize(event, size, base, problems);
  if (problems.length === 0) problems.push(...options.schemas.check(event.name, event.data, base));
  return problems.length > 0 ? { ok: false, problems } : { ok: true, event };
}

/** A fresh UUIDv7 from the time and 16 random bytes. */
export function newId(now: number, random: Random): string {
  return v7({ msecs: now, random: Uint8Array.from({ length: 16 }, () => Math.floor(random() * 256)) });
}

type Report = (pointer: string, message: string, more?: Partial<Problem>) => void;

function unknownField(key: string, base: string, problems: Problem[]): void {
  const pointer = base + pointerStep(key);
  if (key === "__proto__") {
    problems.push({
      code: "ERR_EVENT_FORBIDDEN_KEY",
      message: "the key `__proto__` is not allowed",
      pointer,
    });
    return;
  }
  const close = nearest(key, fields);
  problems.push({
    code: "ERR_EVENT_INVALID",
    message: `an event has no field ${JSON.stringify(key)}; what is the sender's own goes into \`data\``,
    pointer,
    expected: `one of ${fields.join(", ")}`,
    ...(close === undefined ? {} : { suggestion: close }),
  });
}

function nameProblem(name: unknown): Parameters<Report> {
  if (name === undefined || name === null)
    return ["", "the event's `name` is missing", { expected: "a property `name`" }];
  if (typeof name !== "string")
    return ["/name", `\`name\` must be a string, and is ${typeOf(name)}`, { expected: "string" }];
  return ["/name", `\`name\` must be ${eventNameRule}`, { expected: eventNameRule }];
}

function text(given: Readonly<Record<string, unknown>>, key: string, report: Report): string | undefined {
  const value = given[key] ?? undefined;
  if (value === undefined) return undefined;
  if (typeof value === "string" && value !== "" && value.length <= longestId && !unsafe.test(value))
    return value;
  report(
    `/${key}`,
    `\`${key}\` must be a string of 1 to ${longestId} characters without control characters`,
    {
      expected: "string",
    },
  );
  return undefined;
}

/** `bound` is at least the size of data and user; only where it is near the limit are the bytes counted. */
function checkSize(event: Event, bound: number, base: string, problems: Problem[]): void {
  // The other fields: at most 4 strings of 256 characters (traceparent: 512), 6 bytes each, and the keys.
  if (bound + 8 * 1024 <= largestEvent) return;
  const bytes = Buffer.byteLength(JSON.stringify(event));
  if (bytes <= largestEvent) return;
  problems.push({
    code: "ERR_EVENT_TOO_LARGE",
    message: `the event has ${bytes} bytes as JSON; ${largestEvent} (256 KiB) are allowed`,
    pointer: base,
    expected: `at most ${largestEvent} bytes`,
  });
}
