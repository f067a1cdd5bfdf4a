import { EgressRefusal } from "./refusal.ts";

/** Names and values, in order; names in lower case, values as Latin-1. */
export type Headers = readonly (readonly [string, string])[];

/**
 * Headers of one connection, and those that say where a request goes and how its body is sent: they are the client's,
 * and a guest that could set them could make two requests of one.
 */
const reserved: ReadonlySet<string> = new Set([
  "connection",
  "expect",
  "host",
  "http2-settings",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

const token = /^[!#$%&'*+\-.^_`|~\dA-Za-z]+$/;
const value = /^[\t\x20-\x7e\x80-\xff]*$/;
/** Bytes of all names and values. */
const most = 64 * 1024;

/** Whether a guest can neither set a header of this name nor see it. */
export function isReservedHeader(name: string): boolean {
  return reserved.has(name.toLowerCase());
}

/** Whether a text can be the name of a header, or a method. */
export function isToken(text: string): boolean {
  return token.test(text);
}

/** Whether a text, as Latin-1, can be the value of a header. */
export function isHeaderValue(text: string): boolean {
  return value.test(text);
}

/** The headers as the client takes them; throws an EgressRefusal for those that no request may have. */
export function requestHeaders(headers: Headers, bodyLength: number): string[] {
  let size = 0;
  const flat: string[] = [];
  for (const [name, text] of headers) {
    size += name.length + text.length;
    if (size > most) {
      throw new EgressRefusal(
        "HTTP-request-header-section-size",
        `The headers have more than ${most} bytes.`,
      );
    }
    if (!isToken(name) || !isHeaderValue(text)) {
      throw new EgressRefusal("HTTP-protocol-error", `The header ${JSON.stringify(name)} is not one.`);
    }
    if (isReservedHeader(name)) {
      throw new EgressRefusal("HTTP-request-denied", `The header ${name} is not the step's to set.`);
    }
    if (name.toLowerCase() !== "content-length") flat.push(name, text);
    // The client sets it, to the same.
    else if (text !== String(bodyLength)) {
      const message = `The body has ${bodyLength} bytes, and content-length says ${JSON.stringify(text)}.`;
      throw new EgressRefusal("HTTP-request-body-size", message);
    }
  }
  return flat;
}

/** The headers of a response that are not its connection's. */
export function responseHeaders(raw: readonly Buffer[]): Headers {
  const headers: (readonly [string, string])[] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = (raw[index] as Buffer).toString("latin1").toLowerCase();
    if (!reserved.has(name)) headers.push([name, (raw[index + 1] as Buffer).toString("latin1")]);
  }
  return headers;
}
