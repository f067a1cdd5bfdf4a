import type { Destination, HttpGrant } from "../capabilities.ts";

/** Whether a host, or all that a pattern stands for, is what `pattern` says. Both are in their normal form. */
export function hostCovers(pattern: string, host: string): boolean {
  if (pattern === "*" || pattern === host) return true;
  return pattern.startsWith("*.") && host.endsWith(pattern.slice(1));
}

/** Whether each request to `asked` is one to `allowed`. */
export function covers(allowed: Destination, asked: Destination): boolean {
  return (
    allowed.scheme === asked.scheme &&
    hostCovers(allowed.host, asked.host) &&
    asked.ports.every((port) => allowed.ports.includes(port))
  );
}

/** Whether all that one grant gives is in another. */
export function grantCovers(allowed: HttpGrant, asked: HttpGrant): boolean {
  const { methods } = allowed;
  return (
    covers(allowed, asked) &&
    (allowed.private || !asked.private) &&
    (methods === undefined || (asked.methods ?? [""]).every((method) => methods.includes(method)))
  );
}
