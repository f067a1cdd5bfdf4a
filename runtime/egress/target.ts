import type { HttpGrant } from "../capabilities.ts";
import { hostCovers } from "./destination.ts";
import { isToken } from "./headers.ts";
import { EgressRefusal } from "./refusal.ts";

/** Where one request goes, as the grants have it. */
export interface Target {
  readonly scheme: "https" | "http";
  /** In lower case and ASCII; an IPv6 address in brackets. */
  readonly host: string;
  readonly port: number;
  readonly method: string;
}

const authorityShape = /^(?:[^\s/?#@:[\]\\%]+|\[[\dA-Fa-f:.]+\])(?::\d{1,5})?$/;
/** The origin form of RFC 9112, without what has to be percent-encoded. */
const pathShape = /^\/[\x21\x22\x24-\x7e]*$/;
const longestPath = 8_192;
/** They open a tunnel, or have a server repeat what it got. */
const tunnels = /^(?:connect|trace|track)$/i;

/** Reads where a request goes; throws an EgressRefusal for what is no authority, method or path. */
export function parseTarget(request: {
  readonly scheme: "https" | "http";
  readonly authority: string;
  readonly path: string;
  readonly method: string;
}): Target {
  const { scheme, authority, path, method } = request;
  const text = `${scheme}://${authority}/`;
  if (!authorityShape.test(authority) || !URL.canParse(text)) {
    throw new EgressRefusal("HTTP-request-URI-invalid", `${JSON.stringify(authority)} is no host.`);
  }
  if (path.length > longestPath) {
    throw new EgressRefusal("HTTP-request-URI-too-long", `The path has more than ${longestPath} characters.`);
  }
  if (!pathShape.test(path)) {
    throw new EgressRefusal("HTTP-request-URI-invalid", "The path is not one, percent-encoded.");
  }
  if (!isToken(method) || tunnels.test(method)) {
    throw new EgressRefusal("HTTP-request-method-invalid", `No step sends ${JSON.stringify(method)}.`);
  }
  const { hostname, port } = new URL(text);
  const standard = scheme === "https" ? 443 : 80;
  return { scheme, host: hostname, port: port === "" ? standard : Number(port), method };
}

/** The grants that a request needs one of. */
export function grantsFor(
  grants: readonly HttpGrant[],
  { scheme, host, port, method }: Target,
): readonly HttpGrant[] {
  return grants.filter(
    (grant) =>
      grant.scheme === scheme &&
      hostCovers(grant.host, host) &&
      grant.ports.includes(port) &&
      (grant.methods === undefined || grant.methods.includes(method)),
  );
}

/** As a message names it. */
export function targetText({ scheme, host, port, method }: Target): string {
  const standard = scheme === "https" ? 443 : 80;
  return `${method} ${scheme}://${host}${port === standard ? "" : `:${port}`}`;
}
