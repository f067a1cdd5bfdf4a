import { BlockList, isIP } from "node:net";
import type { onRequestHookHandler } from "fastify";
import { MillraceError } from "../errors.ts";
import { createKeyRing } from "./keys.ts";

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8, "ipv4");
loopback.addAddress("::1", "ipv6");

/** Whether an IP address is this machine's own, which no other machine reaches. */
export function isLoopback(address: string): boolean {
  const family = isIP(address);
  return family !== 0 && loopback.check(address, family === 4 ? "ipv4" : "ipv6");
}

/** Refuses what carries none of these keys as its Bearer token. */
export function bearerGuard(keys: readonly string[]): onRequestHookHandler {
  const ring = createKeyRing(keys);
  return (request, reply, done) => {
    const { authorization } = request.headers;
    const token = /^Bearer +([^ ]+) *$/i.exec(authorization ?? "")?.[1];
    if (token !== undefined && ring.has(token)) return done();
    void reply.header("www-authenticate", 'Bearer realm="millrace"');
    const message =
      token === undefined ? "This path wants an API key." : "The API key is not one that this host takes.";
    done(new MillraceError("ERR_API_KEY", message));
  };
}

/** Refuses a path whose key is none of these. */
export function eventKeyGuard(keys: readonly string[]): onRequestHookHandler {
  const ring = createKeyRing(keys);
  return (request, reply, done) => {
    if (ring.has((request.params as { key: string }).key)) return done();
    void reply.header("www-authenticate", 'EventKey realm="millrace"');
    done(new MillraceError("ERR_KEY_UNKNOWN", "The event key is not one that this host takes."));
  };
}

/**
 * Refuses calls by a name that is not this machine's own. Without keys, a web page whose name its owner points at
 * 127.0.0.1 (DNS rebinding) could read everything otherwise.
 */
export function hostnameGuard(hostnames: readonly string[]): onRequestHookHandler {
  const allowed = new Set(hostnames.map((name) => name.toLowerCase()));
  const isAllowed = (authority: string): boolean => {
    const name = authority.toLowerCase().replace(/:\d*$/, "");
    const bare = name.replace(/^\[(.*)\]$/, "$1");
    return name === "localhost" || name.endsWith(".localhost") || isLoopback(bare) || allowed.has(name);
  };
  let lastAllowed: string | undefined;
  return (request, _reply, done) => {
    const authority = request.headers[":authority"] ?? request.headers.host;
    if (authority === lastAllowed && authority !== undefined) return done();
    if (typeof authority === "string" && isAllowed(authority)) {
      lastAllowed = authority;
      return done();
    }
    const name = JSON.stringify(authority ?? "");
    done(
      new MillraceError(
        "ERR_HOSTNAME_REFUSED",
        `This host has no API keys and is not to be called as ${name}.`,
      ),
    );
  };
}
