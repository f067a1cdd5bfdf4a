import type { StepFailure } from "../driver.ts";
import { isHeaderValue, isReservedHeader, isToken } from "../egress/headers.ts";
import { failure } from "../failure.ts";
import type { Json } from "../json.ts";
import type { Secrets } from "../secrets.ts";

/** A header that a step's document asks for: its text, or a secret's, behind another text. */
export type StepHeader = string | { readonly secret: string; readonly prefix?: string };

/** Those that say what a request is, and are not the document's to change. */
const own: ReadonlySet<string> = new Set([
  "accept-encoding",
  "content-encoding",
  "content-length",
  "content-type",
  "idempotency-key",
  "millrace-callback",
  "traceparent",
  "webhook-id",
  "webhook-signature",
  "webhook-timestamp",
]);

/** What is wrong with a header, to be read behind its name; undefined for one that can be sent. */
export function headerProblem(name: string, value: Json): string | undefined {
  if (!isToken(name)) return "is no header's name";
  if (own.has(name.toLowerCase())) return "is set by Millrace itself";
  if (isReservedHeader(name)) return "belongs to the connection";
  const header = stepHeader(value);
  if (header === undefined) return 'is neither a text nor {"secret": "NAME"}, with a `prefix` if need be';
  const text = typeof header === "string" ? header : (header.prefix ?? "");
  return isHeaderValue(text) ? undefined : "has characters that no header can have";
}

/** Reads a header; undefined for what is none. */
export function stepHeader(value: Json): StepHeader | undefined {
  if (typeof value === "string") return value;
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const { secret, prefix } = value as { readonly secret?: Json; readonly prefix?: Json };
  if (typeof secret !== "string" || (prefix !== undefined && typeof prefix !== "string")) return undefined;
  return { secret, ...(prefix !== undefined && { prefix }) };
}

/** The headers with the secrets in them, which are there; the failure where one can't be sent. */
export function givenHeaders(
  headers: ReadonlyMap<string, StepHeader>,
  secrets: Secrets,
): { readonly headers: Readonly<Record<string, string>> } | StepFailure {
  const given: Record<string, string> = {};
  for (const [name, header] of headers) {
    if (typeof header === "string") {
      given[name] = header;
      continue;
    }
    const value = (header.prefix ?? "") + (secrets.get(header.secret) ?? "");
    if (!isHeaderValue(value)) {
      const message = `The secret ${header.secret} has characters that no header can have; it is to be in ${name}.`;
      return failure("ERR_HTTP_HEADER", message);
    }
    given[name] = value;
  }
  return { headers: given };
}

/** The names of the secrets in a step's headers. */
export function headerSecrets(headers: Json | undefined): readonly string[] {
  if (typeof headers !== "object" || headers === null || Array.isArray(headers)) return [];
  return Object.values(headers).flatMap((value) => {
    const header = stepHeader(value);
    return typeof header === "object" ? [header.secret] : [];
  });
}
