import { createHash } from "node:crypto";
import type { Problem } from "../errors.ts";
import { pointerStep } from "../json-pointer.ts";
import { typeOf } from "../schema-problem.ts";

/** A CloudEvent as one of the host's own events, still to be checked as such; or all that is wrong with it. */
export type ParsedCloudEvent =
  | { readonly ok: true; readonly input: Readonly<Record<string, unknown>> }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** What was read of a CloudEvent, in whichever mode it came. */
interface Parts {
  readonly attributes: Readonly<Record<string, unknown>>;
  /** Absent: the event has no data. */
  readonly data?: unknown;
  /** Where an attribute stands, for its problems. */
  readonly place: (attribute: string) => { readonly name: string; readonly pointer?: string };
}

/** The attributes that become fields of the event; the others are kept in its `attributes`. */
const fieldOf: ReadonlyMap<string, string> = new Map([
  ["type", "name"],
  ["time", "ts"],
  ["user", "user"],
  ["userid", "user"],
  ["traceparent", "traceparent"],
]);
const attributeName = /^[a-z\d]+$/;
const unsafe = /[\p{Cc}\p{Cs}]/u;
const timestamp = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/;
const longestId = 256;

/**
 * Reads one CloudEvent in JSON (CloudEvents 1.0, JSON event format): a body in structured mode, or one element of a
 * batch, to which `base` points.
 */
export function parseStructuredCloudEvent(input: unknown, base = ""): ParsedCloudEvent {
  if (typeof input !== "object" || input === null || Array.isArray(input)) {
    const message = `a CloudEvent must be an object, and is ${typeOf(input)}`;
    return { ok: false, problems: [problem(message, { pointer: base, expected: "object" })] };
  }
  const { data, data_base64: encoded, ...attributes } = input as Readonly<Record<string, unknown>>;
  const place: Parts["place"] = (name) => ({ name: `\`${name}\``, pointer: base + pointerStep(name) });
  if (encoded === undefined || encoded === null) {
    return parse({ attributes, place, ...(data === undefined || data === null ? {} : { data }) });
  }
  const decoded = data === undefined ? decodeBase64(encoded) : undefined;
  if (decoded !== undefined) return parse({ attributes, place, data: decoded.value });
  const message =
    data === undefined
      ? "`data_base64` must be JSON text in UTF-8, encoded as base64"
      : "a CloudEvent carries either `data` or `data_base64`";
  const rest = parse({ attributes, place });
  return {
    ok: false,
    problems: [problem(message, { pointer: `${base}/data_base64` }), ...(rest.ok ? [] : rest.problems)],
  };
}

/** Reads one CloudEvent in binary mode (CloudEvents 1.0, HTTP binding): headers, and the data of the body if it has one. */
export function parseBinaryCloudEvent(
  headers: Readonly<Record<string, string | readonly string[] | undefined>>,
  data: { readonly value: unknown } | undefined,
): ParsedCloudEvent {
  const attributes: [string, unknown][] = [];
  for (const [name, value] of Object.entries(headers)) {
    if (name.startsWith("ce-") && value !== undefined)
      attributes.push([name.slice(3), decodeHeader(String(value))]);
  }
  const contentType = headers["content-type"];
  if (data !== undefined && contentType !== undefined) attributes.push(["datacontenttype", contentType]);
  return parse({
    attributes: Object.fromEntries(attributes),
    place: (name) => ({
      name: name === "datacontenttype" ? "the header content-type" : `the header ce-${name}`,
    }),
    ...(data === undefined ? {} : { data: data.value }),
  });
}

/** Whether data of this media type is JSON. */
export function isJsonType(mediaType: string): boolean {
  const essence = (mediaType.split(";", 1)[0] ?? "").trim().toLowerCase();
  return essence === "application/json" || essence === "text/json" || essence.endsWith("+json");
}

/**
 * Turns a problem of the host's own event back to the CloudEvent that it was made from. Pointers of both begin with
 * `base`; in binary mode an attribute has none, and its header is named instead.
 */
export function cloudEventProblem(found: Problem, base: string, mode: "json" | "binary"): Problem {
  const { pointer, ...rest } = found;
  if (pointer === undefined || !pointer.startsWith(base)) return found;
  const path = pointer.slice(base.length);
  if (path === "" || /^\/data(?:\/|$)/.test(path)) {
    return { ...rest, pointer: mode === "binary" ? path.replace(/^\/data/, "") : pointer };
  }
  const attribute = path.startsWith("/attributes/")
    ? path.slice("/attributes/".length)
    : attributeOf(path.slice(1));
  return mode === "binary"
    ? { ...rest, message: `the header ce-${attribute}: ${rest.message}` }
    : { ...rest, pointer: `${base}/${attribute}` };
}

function attributeOf(field: string): string {
  for (const [attribute, of] of fieldOf) if (of === field) return attribute;
  return field;
}

function parse({ attributes, data, place }: Parts): ParsedCloudEvent {
  const problems: Problem[] = [];
  const report = (attribute: string, message: string, more?: Partial<Problem>): void => {
    const { name, pointer } = place(attribute);
    problems.push(problem(`${name} ${message}`, { ...(pointer === undefined ? {} : { pointer }), ...more }));
  };
  const given = checkAttributes(attributes, report);
  const version = given["specversion"];
  if (version !== undefined && version !== "1.0") {
    report("specversion", `must be "1.0", and is ${JSON.stringify(version)}`, { expected: '"1.0"' });
  }
  for (const required of ["id", "source", "specversion", "type"]) {
    if (attributes[required] === undefined || attributes[required] === null) report(required, "is missing");
    else if (given[required] === "") report(required, "must not be empty");
  }
  const time = given["time"];
  const ts = time === undefined ? undefined : parseTime(time);
  if (Number.isNaN(ts)) {
    report("time", "must be a time of RFC 3339", { expected: "a time such as 2026-01-31T12:00:00Z" });
  }
  const type = given["datacontenttype"];
  if (data !== undefined && type !== undefined && !isJsonType(String(type))) {
    report("datacontenttype", `is ${JSON.stringify(type)}; only data in JSON is taken`, {
      expected: "application/json",
    });
  }
  if (problems.length > 0) return { ok: false, problems };

  const { specversion: _, type: name, time: __, traceparent, ...others } = given;
  const { user = others["userid"], ...kept } = others;
  if (others["user"] === undefined) delete kept["userid"];
  return {
    ok: true,
    input: {
      id: identity(String(given["source"]), String(given["id"])),
      name,
      ...(data === undefined ? {} : { data }),
      ...(ts === undefined ? {} : { ts }),
      ...(user === undefined ? {} : { user: String(user) }),
      ...(traceparent === undefined ? {} : { traceparent }),
      attributes: kept,
    },
  };
}

type Attributes = Record<string, string | number | boolean>;

/** The attributes whose names and values the specification allows; null counts as absent. */
function checkAttributes(
  attributes: Parts["attributes"],
  report: (attribute: string, message: string, more?: Partial<Problem>) => void,
): Attributes {
  const given: Attributes = {};
  for (const [name, value] of Object.entries(attributes)) {
    if (!attributeName.test(name)) {
      const suggestion = name.toLowerCase().replaceAll(/[^a-z\d]/g, "");
      const more = suggestion === "" ? {} : { suggestion };
      report(name, "is no attribute: a name has only the letters a to z and digits", more);
    } else if (value === null || value === undefined) continue;
    else if (
      typeof value === "string" ? unsafe.test(value) : typeof value !== "boolean" && !isInteger(value)
    ) {
      report(name, "must be a string without control characters, a boolean or a 32-bit integer");
    } else given[name] = value as string | number | boolean;
  }
  for (const name of ["id", "source", "type", "specversion", "time", "subject", "datacontenttype"]) {
    if (given[name] !== undefined && typeof given[name] !== "string") {
      report(name, `must be a string, and is ${typeOf(given[name])}`, { expected: "string" });
      delete given[name];
    }
  }
  return given;
}

function isInteger(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= -(2 ** 31) && (value as number) < 2 ** 31;
}

/** One id of both, since only source and id together are unique. The first bare `|` parts them. */
function identity(source: string, id: string): string {
  const both = `${source.replaceAll("\\", "\\\\").replaceAll("|", "\\|")}|${id}`;
  if (both.length <= longestId) return both;
  return `sha256:${createHash("sha256").update(both).digest("hex")}`;
}

function parseTime(time: string | number | boolean): number {
  const text = String(time).toUpperCase();
  // oxlint-disable-next-line eslint/no-restricted-globals -- reads a text, not the clock
  return timestamp.test(text) ? Date.parse(text) : Number.NaN;
}

/** Undoes the percent-encoding of a header's value; what is no such encoding stays as it is (HTTP binding, 3.1.3.2). */
function decodeHeader(value: string): string {
  const unquoted = /^".*"$/.test(value) ? value.slice(1, -1).replaceAll(/\\(.)/g, "$1") : value;
  try {
    return decodeURIComponent(unquoted);
  } catch {
    return unquoted;
  }
}

function decodeBase64(encoded: unknown): { readonly value: unknown } | undefined {
  if (typeof encoded !== "string" || !/^[A-Za-z\d+/]*={0,2}$/.test(encoded)) return undefined;
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(Buffer.from(encoded, "base64"));
    return { value: JSON.parse(text) as unknown };
  } catch {
    return undefined;
  }
}

function problem(message: string, more: Partial<Problem>): Problem {
  return { code: "ERR_CLOUDEVENT_INVALID", message, ...more };
}
