import type { Problem } from "../errors.ts";
import { CliError, HostRefusal } from "./errors.ts";
import { isObject } from "./event-source.ts";
import type { HostOptions } from "./host-options.ts";
import type { TriggerSketch } from "./trigger-text.ts";

/** Where `millrace dev` listens unless told otherwise. */
export const defaultPort = 8288;
const defaultUrl = `http://127.0.0.1:${defaultPort}`;

/** Talks to a running host over HTTP. */
export interface HostClient {
  /** GET; absent parameters are left out. Throws ERR_HOST_… */
  get(path: string, query?: Readonly<Record<string, string | number | undefined>>): Promise<unknown>;
  /** POST of JSON. */
  post(path: string, body: unknown): Promise<unknown>;
  /** PUT of bytes. */
  put(path: string, body: Uint8Array): Promise<unknown>;
  delete(path: string): Promise<unknown>;
  /** HEAD: whether there is something at the path. */
  has(path: string): Promise<boolean>;
}

/** What the options leave open comes from the environment. */
export function createHostClient(options: HostOptions, env: NodeJS.ProcessEnv = process.env): HostClient {
  const base = baseUrl(options.url ?? env["MILLRACE_URL"] ?? defaultUrl);
  const apiKey = options.apiKey ?? env["MILLRACE_API_KEY"];
  const authorization: Record<string, string> =
    apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` };

  const call = async (url: URL, init: RequestInit): Promise<unknown> => {
    const { response, text } = await request(url, init, base);
    const body = parse(text);
    if (response.ok && body !== undefined) return body;
    throw refusal(response.status, body, base);
  };
  return {
    get(path, query = {}) {
      const url = new URL(path, base);
      for (const [name, value] of Object.entries(query)) {
        if (value !== undefined) url.searchParams.set(name, String(value));
      }
      return call(url, { headers: authorization });
    },
    post: (path, body) =>
      call(new URL(path, base), {
        method: "POST",
        headers: { ...authorization, "content-type": "application/json" },
        body: JSON.stringify(body),
      }),
    put: (path, body) =>
      call(new URL(path, base), {
        method: "PUT",
        headers: { ...authorization, "content-type": "application/wasm" },
        body: body as Uint8Array<ArrayBuffer>,
      }),
    delete: (path) => call(new URL(path, base), { method: "DELETE", headers: authorization }),
    async has(path) {
      const url = new URL(path, base);
      const { response } = await request(url, { method: "HEAD", headers: authorization }, base);
      if (response.ok || response.status === 404) return response.ok;
      // An answer to HEAD has no body that could say why.
      throw refusal(response.status, undefined, base);
    },
  };
}

/** A path within the URL stays in front of every request's own. */
function baseUrl(text: string): URL {
  const url = URL.parse(text.endsWith("/") ? text : `${text}/`);
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:")) {
    throw new CliError("ERR_USAGE", `${JSON.stringify(text)} is no URL of a host.`, {
      next: `Write it as ${defaultUrl}.`,
    });
  }
  return url;
}

async function request(
  url: URL,
  init: RequestInit,
  base: URL,
): Promise<{ response: Response; text: string }> {
  try {
    const response = await fetch(url, { ...init, redirect: "error", signal: AbortSignal.timeout(30_000) });
    return { response, text: await response.text() };
  } catch (error) {
    const cause = (error as Error).cause;
    const reason = cause instanceof Error ? reasonOf(cause) : (error as Error).message;
    throw new CliError("ERR_HOST_UNREACHABLE", `No host answers at ${base.origin}: ${reason}.`, {
      cause: error,
    });
  }
}

/** Of several addresses that were tried, each has its own error; they have the code in common. */
function reasonOf(cause: Error & { code?: string }): string {
  if (cause.code === "ECONNREFUSED") return "nothing listens there";
  if (cause.code === "ENOTFOUND") return "there is no such host name";
  if (/wrong version number|packet length too long/.test(cause.message))
    return "what listens there speaks no TLS; an http:// URL may be meant";
  return cause.message === "" ? (cause.code ?? cause.name) : cause.message;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function refusal(status: number, body: unknown, base: URL): Error {
  const error = isObject(body) ? body["error"] : undefined;
  if (!isObject(error) || typeof error["code"] !== "string") {
    return new CliError(
      "ERR_HOST_ANSWER",
      `${base.origin} answered ${status}, and not as a Millrace host does.`,
    );
  }
  const { code, message, next, problems } = error;
  return new HostRefusal({
    code,
    message: typeof message === "string" ? message : `The host answered ${status}.`,
    next: wayOut(code, typeof next === "string" ? next : "Read the host's log."),
    problems: Array.isArray(problems) ? (problems as readonly Problem[]) : [],
    status,
  });
}

/** The options that mend it here, where the host speaks of requests. */
function wayOut(code: string, next: string): string {
  if (code === "ERR_API_KEY") return "Give the key with --api-key or MILLRACE_API_KEY (`push`: --key).";
  if (code === "ERR_KEY_UNKNOWN") return "Give the event key with --key or MILLRACE_KEY.";
  return next;
}

/** A function as the reading API lists it. */
export interface ListedFunction {
  readonly id: string;
  readonly name?: string;
  readonly version: string;
  readonly triggers: readonly TriggerSketch[];
  readonly steps: readonly string[];
}

/** The active functions of a host. */
export async function listFunctions(client: HostClient): Promise<readonly ListedFunction[]> {
  const { functions } = (await client.get("v1/functions")) as {
    readonly functions?: readonly ListedFunction[];
  };
  return functions ?? [];
}

/** The most that a page of the reading API holds. */
const pageSize = 200;

/** Reads `limit` entries of a list, over as many pages as it takes. */
export async function listAll<T>(
  client: HostClient,
  path: string,
  property: string,
  query: Readonly<Record<string, string | undefined>>,
  limit: number,
): Promise<readonly T[]> {
  const found: T[] = [];
  let cursor: string | undefined;
  do {
    const size = Math.min(limit - found.length, pageSize);
    const page = (await client.get(path, { ...query, cursor, limit: size })) as Readonly<
      Record<string, unknown>
    >;
    const entries = page[property];
    if (!Array.isArray(entries))
      throw new CliError("ERR_HOST_ANSWER", `The host's answer has no ${property}.`);
    found.push(...(entries as T[]));
    cursor = typeof page["next"] === "string" ? page["next"] : undefined;
  } while (cursor !== undefined && found.length < limit);
  return found;
}
