import type { Dispatcher } from "undici";
import { MillraceError } from "../errors.ts";

/** One request to a registry, or to what it names. */
export interface OciRequest {
  readonly method: "GET" | "HEAD" | "POST" | "PUT";
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
  readonly signal?: AbortSignal | undefined;
}

/** An answer, its body read. */
export interface OciAnswer {
  readonly status: number;
  header(name: string): string | undefined;
  readonly body: Buffer;
}

const mostRedirects = 5;
const headersTimeoutMs = 30_000;
const bodyTimeoutMs = 60_000;

/**
 * Sends a request and reads its answer up to `most` bytes. A redirect is followed, without the authorization where it
 * leads to another server. Throws ERR_OCI_UNREACHABLE, and ERR_OCI_INVALID for an answer that is too large.
 */
export async function send(request: OciRequest, most: number): Promise<OciAnswer> {
  let { url, headers = {} } = request;
  for (let redirects = 0; ; redirects++) {
    const answer = await sendOnce({ ...request, url, headers }, most);
    const location = answer.header("location");
    const isRedirect = [301, 302, 303, 307, 308].includes(answer.status) && location !== undefined;
    if (!isRedirect) return answer;
    if (redirects === mostRedirects) throw unreachable(url, `more than ${mostRedirects} redirects`);
    const next = new URL(location, url);
    if (next.protocol !== "https:" && next.origin !== url.origin && !isLoopback(next)) {
      throw unreachable(url, `a redirect to ${next.origin}, which is not encrypted`);
    }
    if (next.origin !== url.origin) {
      headers = Object.fromEntries(Object.entries(headers).filter(([name]) => name !== "authorization"));
    }
    url = next;
  }
}

/** Registries on this machine speak plain HTTP. */
export function isLoopback({ hostname }: URL): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}

async function sendOnce(
  { method, url, headers, body, signal }: OciRequest,
  most: number,
): Promise<OciAnswer> {
  const { request } = await import("undici");
  let answer: Dispatcher.ResponseData;
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    answer = await request(url, {
      method,
      headers: { "user-agent": "millrace", ...headers },
      ...(body === undefined ? {} : { body }),
      ...(signal === undefined ? {} : { signal }),
      headersTimeout: headersTimeoutMs,
      bodyTimeout: bodyTimeoutMs,
    });
    for await (const chunk of answer.body as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > most) break;
      chunks.push(chunk);
    }
  } catch (cause) {
    signal?.throwIfAborted();
    throw unreachable(url, reasonOf(cause), cause);
  }
  if (length > most) {
    const message = `${url.host} sent more than the ${most} bytes that are taken of ${url.pathname}.`;
    throw new MillraceError("ERR_OCI_INVALID", message);
  }
  const { statusCode: status, headers: received } = answer;
  return {
    status,
    header(name) {
      const value = received[name];
      return Array.isArray(value) ? value[0] : value;
    },
    body: Buffer.concat(chunks),
  };
}

function unreachable({ host }: URL, reason: string, cause?: unknown): MillraceError {
  return new MillraceError("ERR_OCI_UNREACHABLE", `The registry ${host} does not answer as one: ${reason}.`, {
    cause,
  });
}

function reasonOf(error: unknown): string {
  const { code, message } = error as { readonly code?: string; readonly message?: string };
  return [code, message].filter((part) => part !== undefined && part !== "").join(" ") || String(error);
}
