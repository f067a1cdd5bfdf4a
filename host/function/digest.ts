import { createHash } from "node:crypto";
import type { Json } from "../../runtime/json.ts";

/** JSON text that is the same for equal values: keys sorted by their UTF-16 units, no white space, as RFC 8785 does. */
export function canonicalJson(value: Json): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${(value as readonly Json[]).map(canonicalJson).join(",")}]`;
  const object = value as Readonly<Record<string, Json | undefined>>;
  const members = Object.keys(object)
    .toSorted()
    .flatMap((key) => {
      const member = object[key];
      return member === undefined ? [] : [`${JSON.stringify(key)}:${canonicalJson(member)}`];
    });
  return `{${members.join(",")}}`;
}

/** The sha256 of a JSON value's canonical text, in hex. */
export function digestJson(value: Json): string {
  return createHash("sha256").update(canonicalJson(value)).digest("hex");
}
