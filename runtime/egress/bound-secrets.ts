import type { BoundSecret } from "../secrets.ts";
import { covers } from "./destination.ts";
import type { EgressResponse } from "./exchange.ts";
import type { Headers } from "./headers.ts";
import type { Target } from "./target.ts";

/**
 * Headers with the secrets in place of their placeholders, in a request to where each may go: in values, and in the
 * credentials of the scheme Basic, which are encoded. Elsewhere a placeholder stays what it is.
 */
export function withSecrets(headers: Headers, target: Target, secrets: readonly BoundSecret[]): Headers {
  const { scheme, host, port } = target;
  const here = secrets.filter(({ hosts }) =>
    hosts.some((allowed) => covers(allowed, { scheme, host, ports: [port] })),
  );
  if (here.length === 0) return headers;
  return headers.map(([name, value]) => [name, swapped(basic(value, here) ?? value, here)] as const);
}

/** A response as the step may see it: a server that repeats what it got repeats the placeholder. */
export function withoutSecrets(response: EgressResponse, secrets: readonly BoundSecret[]): EgressResponse {
  if (secrets.length === 0) return response;
  const text = (value: string): string =>
    secrets.reduce((shown, secret) => shown.replaceAll(asLatin1(secret.value), secret.placeholder), value);
  const before = response.body;
  const body = secrets.reduce((shown, secret) => replaced(shown, secret), before);
  const headers = response.headers.map(([name, value]) => {
    const isLength = name === "content-length" && body !== before && Number(value) === before.length;
    return [name, isLength ? String(body.length) : text(value)] as const;
  });
  return { ...response, headers, body };
}

function swapped(value: string, secrets: readonly BoundSecret[]): string {
  return secrets.reduce(
    (text, { placeholder, value: secret }) => text.replaceAll(placeholder, () => asLatin1(secret)),
    value,
  );
}

/** The credentials of RFC 7617, when they hold a placeholder. */
function basic(value: string, secrets: readonly BoundSecret[]): string | undefined {
  const [, scheme, encoded] = /^(basic) +([\dA-Za-z+/]+=*)$/i.exec(value) ?? [];
  if (scheme === undefined || encoded === undefined) return undefined;
  const plain = Buffer.from(encoded, "base64").toString("latin1");
  const filled = swapped(plain, secrets);
  if (filled === plain) return undefined;
  return `${scheme} ${Buffer.from(filled, "latin1").toString("base64")}`;
}

/** As a header has it: bytes of UTF-8, a character each. */
function asLatin1(text: string): string {
  return Buffer.from(text).toString("latin1");
}

function replaced(body: Uint8Array, { value, placeholder }: BoundSecret): Uint8Array {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.length);
  const secret = Buffer.from(value);
  const parts: Uint8Array[] = [];
  let from = 0;
  for (let at = bytes.indexOf(secret); at !== -1; at = bytes.indexOf(secret, from)) {
    parts.push(bytes.subarray(from, at), Buffer.from(placeholder));
    from = at + secret.length;
  }
  return from === 0 ? body : Buffer.concat([...parts, bytes.subarray(from)]);
}
