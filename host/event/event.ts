import type { StepEvent } from "../../runtime/input.ts";
import { v7 } from "uuid";
import type { Json } from "../../runtime/json.ts";
import type { Random } from "../clock.ts";
import type { Problem } from "../errors.ts";
import { typeOf, withArticle } from "../schema-problem.ts";
import {
  type Given,
  checkFieldNames,
  readAttributes,
  readName,
  readObject,
  readText,
  readTime,
  readTraceparent,
  readUser,
} from "./event-fields.ts";
import { isPlainObject } from "./json-check.ts";
import type { EventSchemas } from "./schemas.ts";

/** An event as it is stored and matched: what a step sees of it, and what is carried along. */
export interface Event extends StepEvent {
  /** W3C trace context of the sender; steps find it in their context. */
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

/** At most so many bytes beside data, user and attributes: a name, an id, `v` and a `traceparent`, six a character. */
const otherBytes = 8 * 1024;

/**
 * Checks one event as a sender wrote it and fills in `id` (a UUIDv7), `ts` and `data` ({}) where they are missing;
 * null counts as missing. Problems have the codes ERR_EVENT_…, all of them at once.
 */
export function parseEvent(input: unknown, options: ParseEventOptions): ParsedEvent {
  const base = options.index === undefined ? "" : `/${options.index}`;
  if (typeof input !== "object" || input === null || !isPlainObject(input)) {
    const is = typeOf(input) === "object" ? "one of a class" : withArticle(typeOf(input));
    const message = `an event must be a plain object, and is ${is}`;
    return {
      ok: false,
      problems: [{ code: "ERR_EVENT_INVALID", message, pointer: base, expected: "object" }],
    };
  }
  const problems: Problem[] = [];
  const given: Given = {
    fields: input as Readonly<Record<string, unknown>>,
    base,
    problems,
    bound: otherBytes,
  };
  checkFieldNames(given);
  const name = readName(given);
  const data = readObject(given, "data", {});
  const user = readUser(given);
  const id = readText(given, "id");
  const ts = readTime(given, options.now);
  const v = readText(given, "v");
  const traceparent = readTraceparent(given);
  const attributes = readAttributes(given);
  if (problems.length > 0) return { ok: false, problems };

  const event: Event = {
    id: id ?? newId(options.now, options.random),
    name,
    data: data as Json,
    ...(user === undefined ? {} : { user: user as Json }),
    ts,
    ...(v === undefined ? {} : { v }),
    ...(traceparent === undefined ? {} : { traceparent }),
    ...(attributes === undefined ? {} : { attributes: attributes as NonNullable<Event["attributes"]> }),
  };
  const tooLarge = given.bound > largestEvent ? checkSize(event, base) : undefined;
  if (tooLarge !== undefined) return { ok: false, problems: [tooLarge] };
  const misfits = options.schemas.check(name, event.data, base);
  return misfits.length > 0 ? { ok: false, problems: misfits } : { ok: true, event };
}

/** A fresh UUIDv7 from the time and 16 random bytes. */
function newId(now: number, random: Random): string {
  return v7({ msecs: now, random: Uint8Array.from({ length: 16 }, () => Math.floor(random() * 256)) });
}

function checkSize(event: Event, base: string): Problem | undefined {
  const bytes = Buffer.byteLength(JSON.stringify(event));
  if (bytes <= largestEvent) return undefined;
  return {
    code: "ERR_EVENT_TOO_LARGE",
    message: `the event has ${bytes} bytes as JSON; ${largestEvent} (256 KiB) are allowed`,
    pointer: base,
    expected: `at most ${largestEvent} bytes`,
  };
}
