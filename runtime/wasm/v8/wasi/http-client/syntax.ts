import { isIPv6 } from "node:net";

/** What the texts of a request may be: RFC 3986, without what RFC 9110 has not to be there. */
const schemeShape = /^[A-Za-z][\dA-Za-z+.-]*$/;
const pathShape = /^(?:[/?][\x21\x22\x24-\x7e]*)?$/;
const hostShape = /^(?:[\dA-Za-z\-._~!$&'()*+,;=]|%[\dA-Fa-f]{2})+$/;
const authorityShape = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d+))?$/;

export function isScheme(text: string): boolean {
  return schemeShape.test(text);
}

/** Path and query; a fragment is none of them. */
export function isPath(text: string): boolean {
  return pathShape.test(text);
}

/** A host and perhaps a port; no user. */
export function isAuthority(text: string): boolean {
  const [all, address, host, port] = authorityShape.exec(text) ?? [];
  if (all === undefined || (port !== undefined && Number(port) > 65_535)) return false;
  if (address === undefined) return hostShape.test(host ?? "");
  return isIPv6(address) && !address.includes("%");
}
