import type { Agent, Dispatcher } from "undici";
import type { HttpGrant } from "../capabilities.ts";
import { BodyTooLarge, type EgressResponse, exchange } from "./exchange.ts";
import { checkLiteral, guardedLookup, type Resolver, systemResolver } from "./guarded-lookup.ts";
import { type Headers, requestHeaders } from "./headers.ts";
import { EgressRefusal, refusalOf } from "./refusal.ts";
import { grantsFor, parseTarget, type Target, targetText } from "./target.ts";

/** A request as a step makes it. */
export interface EgressRequest {
  readonly method: string;
  readonly scheme: "https" | "http";
  /** Host, and port if there is one. */
  readonly authority: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: Headers;
  readonly body?: Uint8Array;
  /** In milliseconds. */
  readonly connectTimeoutMs?: number;
  readonly firstByteTimeoutMs?: number;
  readonly betweenBytesTimeoutMs?: number;
}

/** What outgoing requests are made with. */
export interface EgressOptions {
  readonly grants: readonly HttpGrant[];
  /** The body of a request, and that of a response, in bytes. */
  readonly bodyBytes: number;
  /** The operating system's by default. */
  readonly resolve?: Resolver;
  /** PEM: certificates that sign servers, in place of those that Node knows. */
  readonly ca?: string;
  /** The last look at a request that was found right: its headers as they go out. */
  readonly outgoing?: (headers: Headers, target: Target) => Headers;
}

/** What became of a request. */
export type EgressOutcome =
  | { readonly ok: true; readonly response: EgressResponse }
  | { readonly ok: false; readonly refusal: EgressRefusal }
  /** A body over the limit; `bytes` is what it has at least. */
  | { readonly ok: false; readonly tooLarge: "request" | "response"; readonly bytes: number };

/** Sends requests to where its grants allow, and nowhere else. Redirects are responses like any other. */
export interface Egress {
  send(request: EgressRequest, signal: AbortSignal): Promise<EgressOutcome>;
  /** Ends what is under way, and every connection. Idempotent. */
  close(): Promise<void>;
}

const connectMs = 10_000;
/** Of the head of a response. */
const mostHeadBytes = 64 * 1024;

/** Outgoing HTTP for one attempt, or another that shares its connections with nobody. */
export function createEgress(options: EgressOptions): Egress {
  const { grants, bodyBytes, resolve = systemResolver, ca, outgoing = (headers) => headers } = options;
  const agents = new Map<string, Agent>();
  let closing: Promise<void> | undefined;

  /** Connections that were made under another grant, or with other patience, are not used. */
  const agentFor = async (mayBePrivate: boolean, connectTimeoutMs: number): Promise<Agent> => {
    // Loaded when needed: most hosts have no step that sends requests.
    const { Agent: Connections } = await import("undici");
    if (closing !== undefined) throw new EgressRefusal("connection-terminated", "The attempt has ended.");
    const key = `${mayBePrivate} ${connectTimeoutMs}`;
    const found = agents.get(key);
    if (found !== undefined) return found;
    const agent = new Connections({
      allowH2: false,
      pipelining: 1,
      maxHeaderSize: mostHeadBytes,
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: {
        lookup: guardedLookup(resolve, mayBePrivate),
        timeout: connectTimeoutMs,
        ...(ca !== undefined && { ca }),
      },
    });
    agents.set(key, agent);
    return agent;
  };

  const dispatch = async (request: EgressRequest, signal: AbortSignal): Promise<EgressResponse> => {
    const target = parseTarget(request);
    const { host, port, scheme, method } = target;
    const granting = grantsFor(grants, target);
    if (granting.length === 0) {
      throw new EgressRefusal("HTTP-request-denied", `The step was not granted ${targetText(target)}.`);
    }
    const mayBePrivate = granting.some((grant) => grant.private);
    checkLiteral(host, mayBePrivate);
    const { body, connectTimeoutMs, firstByteTimeoutMs, betweenBytesTimeoutMs } = request;
    const length = body?.length ?? 0;
    requestHeaders(request.headers, length);
    const headers = requestHeaders(outgoing(request.headers, target), length);
    const agent = await agentFor(mayBePrivate, roundedUp(connectTimeoutMs ?? connectMs));
    const dispatched: Dispatcher.DispatchOptions = {
      origin: `${scheme}://${host}:${port}`,
      path: request.path,
      method,
      headers,
      body: body === undefined || length === 0 ? null : body,
      headersTimeout: firstByteTimeoutMs ?? 0,
      bodyTimeout: betweenBytesTimeoutMs ?? 0,
    };
    return exchange(agent, dispatched, bodyBytes, signal);
  };

  return {
    async send(request, signal) {
      const length = request.body?.length ?? 0;
      if (length > bodyBytes) return { ok: false, tooLarge: "request", bytes: length };
      try {
        return { ok: true, response: await dispatch(request, signal) };
      } catch (error) {
        if (error instanceof BodyTooLarge) return { ok: false, tooLarge: "response", bytes: error.bytes };
        return { ok: false, refusal: refusalOf(error, false) };
      }
    },
    close() {
      closing ??= Promise.all([...agents.values()].map((agent) => agent.destroy())).then(() => undefined);
      return closing;
    },
  };
}

/** To a power of two: a step that asks for ever other times would make ever more agents. */
function roundedUp(ms: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(1, Math.min(ms, 2 ** 30))));
}
