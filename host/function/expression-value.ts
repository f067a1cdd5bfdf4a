import { isCelList, isCelMap, isCelUint } from "@bufbuild/cel";
import type { Json } from "../../runtime/json.ts";
import { jsonBehind } from "./json-view.ts";

/** What an evaluation gave as JSON, or why that is none. */
type JsonResult =
  | { readonly ok: true; readonly value: Json }
  | { readonly ok: false; readonly message: string };

/** Characters of JSON that an expression may give by default. */
const largestValue = 1024 * 1024;
/** Levels of maps and lists within each other. */
const deepestValue = 128;

/** A message of protobuf, as the evaluator has timestamps and durations. */
interface ProtobufTime {
  readonly desc: { readonly typeName: string };
  readonly message: { readonly seconds: bigint; readonly nanos: number };
}

class NoJson extends Error {}

/**
 * The JSON of an evaluator's value: ints become numbers, bytes Base64, timestamps RFC 3339, durations seconds ("90s"). Of
 * what the event or an output has, the very objects.
 */
export function jsonOf(value: unknown, largest = largestValue): JsonResult {
  let left = largest;
  const pay = (length: number): void => {
    left -= length;
    if (left < 0) throw new NoJson(`it gives more than ${largest} characters of JSON`);
  };
  const convert = (one: unknown, depth: number): Json => {
    if (depth > deepestValue) throw new NoJson(`it nests deeper than ${deepestValue} levels`);
    const behind = jsonBehind(one);
    if (behind !== undefined) {
      pay(JSON.stringify(behind).length);
      return behind;
    }
    if (isCelMap(one)) {
      const entries = [...one.entries()].map(([key, member]): [string, Json] => {
        const name = typeof key === "object" ? String(key.value) : String(key);
        pay(name.length + 4);
        return [name, convert(member, depth + 1)];
      });
      return Object.fromEntries(entries);
    }
    if (isCelList(one)) {
      return [...one].map((element) => {
        pay(1);
        return convert(element, depth + 1);
      });
    }
    const scalar = scalarOf(one);
    pay(typeof scalar === "string" ? scalar.length + 2 : 8);
    return scalar;
  };
  try {
    return { ok: true, value: convert(value, 1) };
  } catch (error) {
    if (error instanceof NoJson || error instanceof RangeError) return { ok: false, message: error.message };
    throw error;
  }
}

function scalarOf(value: unknown): Json {
  if (value === null || typeof value === "boolean" || typeof value === "string") return value;
  if (typeof value === "bigint") return Number(value);
  if (typeof value === "number") {
    if (Number.isFinite(value)) return value;
    throw new NoJson(`it gives ${value}, which is no number of JSON`);
  }
  if (isCelUint(value)) return Number(value.value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  const text = timeText(value);
  if (text !== undefined) return text;
  throw new NoJson("it gives a value that JSON has not");
}

function timeText(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null || !("desc" in value) || !("message" in value))
    return undefined;
  const { desc, message } = value as ProtobufTime;
  const milliseconds = Number(message.seconds) * 1_000 + Math.trunc(message.nanos / 1e6);
  // oxlint-disable-next-line no-restricted-globals -- writes a given time down, and reads no clock.
  if (desc.typeName === "google.protobuf.Timestamp") return new Date(milliseconds).toISOString();
  return desc.typeName === "google.protobuf.Duration" ? `${milliseconds / 1_000}s` : undefined;
}
