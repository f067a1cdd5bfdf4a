import { createSecureContext } from "node:tls";
import { MillraceError } from "../errors.ts";
import type { TlsKeys } from "./one-port.ts";
import { defaultTimeouts, type Timeouts } from "./timeouts.ts";

/** How an API is set up. */
export interface ApiOptions {
  /** The keys that `POST /e/<key>` takes; "any" takes every key, for development. */
  readonly eventKeys: readonly string[] | "any";
  /**
   * The keys of the reading API, sent as Bearer tokens. Absent: nobody needs one, and the API listens on this machine
   * alone. "open": nobody needs one, wherever it listens.
   */
  readonly apiKeys?: readonly string[] | "open";
  /** Host names besides localhost by which an API without keys may be called, as behind a tunnel. */
  readonly hostnames?: readonly string[];
  /** HTTPS in place of HTTP. */
  readonly tls?: TlsKeys;
  /** The most bytes of a request's body, as sent and decompressed; 32 MiB by default. */
  readonly bodyBytes?: number;
  readonly timeouts?: Partial<Timeouts>;
  /** Between two signs of life on a stream of live messages, in milliseconds; 15,000 by default. */
  readonly heartbeatMs?: number;
  /** What may wait for a slow client of live messages before it is cut off, in characters; 8 Mi by default. */
  readonly liveBacklog?: number;
  /** Clients of live messages at once; 64 by default. */
  readonly liveClients?: number;
  /** How long close() lets requests under way go on, in milliseconds; 5,000 by default. */
  readonly graceMs?: number;
  /** Takes what went wrong on the host's side; by default it is written to stderr, a JSON object a line. */
  readonly log?: (entry: ApiLogEntry) => void;
}

/** One fault on the host's side. */
export interface ApiLogEntry {
  readonly level: "error";
  readonly code: string;
  readonly message: string;
  /** The answer's header x-request-id. */
  readonly requestId: string;
  /** The error with its stack and causes, as text. */
  readonly error: string;
}

/** The options with their defaults. */
export type ApiSettings = Required<Omit<ApiOptions, "apiKeys" | "tls" | "timeouts">> & {
  readonly apiKeys: readonly string[] | "open" | undefined;
  readonly tls: TlsKeys | undefined;
  readonly timeouts: Timeouts;
};

/** Fills in the defaults. Throws ERR_API_OPTIONS. */
export function apiSettings(options: ApiOptions): ApiSettings {
  checkKeys("eventKeys", options.eventKeys);
  if (options.apiKeys !== undefined) checkKeys("apiKeys", options.apiKeys);
  const settings: ApiSettings = {
    eventKeys: options.eventKeys,
    apiKeys: options.apiKeys,
    hostnames: options.hostnames ?? [],
    tls: options.tls,
    bodyBytes: options.bodyBytes ?? 32 * 1024 * 1024,
    timeouts: { ...defaultTimeouts, ...options.timeouts },
    heartbeatMs: options.heartbeatMs ?? 15_000,
    liveBacklog: options.liveBacklog ?? 8 * 1024 * 1024,
    liveClients: options.liveClients ?? 64,
    graceMs: options.graceMs ?? 5_000,
    log: options.log ?? logToStderr,
  };
  const numbers = { ...settings.timeouts, bodyBytes: settings.bodyBytes, heartbeatMs: settings.heartbeatMs };
  for (const [name, value] of Object.entries(numbers)) {
    if (!(Number.isFinite(value) && value > 0)) refuse(`${name} must be a number above 0, and is ${value}`);
  }
  if (settings.tls !== undefined) checkTls(settings.tls);
  return settings;
}

function checkTls(tls: TlsKeys): void {
  try {
    createSecureContext({ ...tls });
  } catch (error) {
    refuse(`tls has no key and certificate in PEM that fit each other: ${(error as Error).message}`);
  }
}

function checkKeys(name: string, keys: readonly string[] | string): void {
  if (typeof keys === "string") return;
  if (keys.length === 0) refuse(`${name} is an empty list, with which nobody could call`);
  if (keys.some((key) => key.trim() === "")) refuse(`${name} has an empty key`);
}

function refuse(why: string): never {
  throw new MillraceError("ERR_API_OPTIONS", `The API's options can't be used: ${why}.`);
}

function logToStderr(entry: ApiLogEntry): void {
  process.stderr.write(`${JSON.stringify(entry)}\n`);
}
