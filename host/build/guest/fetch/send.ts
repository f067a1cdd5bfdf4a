import type { Case, FutureResponse, HttpHost, IncomingResponse } from "millrace:guest/host";
import type { AbortSignal } from "../abort.ts";
import type { URL } from "../url.ts";
import { type BodySource, lazySource } from "./body.ts";
import type { Headers } from "./headers.ts";

/** One request on its way to a host. */
export interface Sending {
  readonly method: string;
  readonly url: URL;
  readonly headers: Headers;
  readonly source: BodySource | null;
  readonly signal: AbortSignal;
}

/** What a host answered. */
export interface Answer {
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly source: BodySource;
}

const methods = new Set(["get", "head", "post", "put", "delete", "options", "patch"]);

/** What `blocking-write-and-flush` takes at once. */
const mostAtOnce = 4096;

const { watch } = __millrace;

/** Sends a request, and settles when the head of its response is there. Rejects with a TypeError, or the signal's reason. */
export function send(http: HttpHost, { method, url, headers, source, signal }: Sending): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const failed = (code: Case): void => reject(failure(code, method, url));
    let future: FutureResponse;
    try {
      future = http.handler.handle(outgoing(http, { method, url, headers, source }), null);
    } catch (error) {
      const { payload } = error as { payload?: Case | string };
      return failed(typeof payload === "object" ? payload : { tag: payload ?? String(error) });
    }
    const abort = (): void => {
      forget();
      future[Symbol.dispose]();
      reject(signal.reason);
    };
    const forget = watch(future.subscribe(), () => {
      signal.removeEventListener("abort", abort);
      const outcome = future.get();
      future[Symbol.dispose]();
      if (outcome?.tag !== "ok") return failed({ tag: "internal-error" });
      const { val: result } = outcome;
      if (result?.tag === "ok" && result.val !== undefined) resolve(answerOf(result.val));
      else failed((result?.val as Case | undefined) ?? { tag: "internal-error" });
    });
    signal.addEventListener("abort", abort, { once: true });
  });
}

function outgoing({ types }: HttpHost, { method, url, headers, source }: Omit<Sending, "signal">) {
  const entries = [...headers].map(([name, value]) => [name, latin1(value)] as const);
  const request = new types.OutgoingRequest(types.Fields.fromList(entries));
  const known = method.toLowerCase();
  request.setMethod(
    methods.has(known) && method === method.toUpperCase() ? { tag: known } : { tag: "other", val: method },
  );
  request.setScheme({ tag: url.protocol === "https:" ? "HTTPS" : "HTTP" });
  request.setAuthority(url.host);
  request.setPathWithQuery(url.pathname + url.search);
  if (source === null) return request;
  const body = request.body();
  {
    using stream = body.write();
    const bytes = source.take();
    for (let at = 0; at < bytes.length; at += mostAtOnce)
      stream.blockingWriteAndFlush(bytes.subarray(at, at + mostAtOnce));
  }
  types.OutgoingBody.finish(body, null);
  return request;
}

function answerOf(response: IncomingResponse): Answer {
  const headers = response
    .headers()
    .entries()
    .map(([name, value]) => [name, String.fromCharCode(...value)] as const);
  return { status: response.status(), headers, source: lazySource(() => bodyOf(response)) };
}

function bodyOf(response: IncomingResponse): Uint8Array<ArrayBuffer> {
  const stream = response.consume().stream();
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    try {
      const chunk = stream.blockingRead(65_536);
      chunks.push(chunk);
      length += chunk.length;
    } catch (error) {
      if ((error as { payload?: Case }).payload?.tag === "closed") break;
      throw new TypeError("terminated", { cause: error });
    }
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** What to do about those errors that are the step's own to mend. */
const advice: Readonly<Record<string, string>> = {
  "HTTP-request-denied": "the step's capability `http` does not allow it",
  "destination-IP-prohibited": "its address is private, which the step's capability `http` does not allow",
};

function failure({ tag, val }: Case, method: string, url: URL): TypeError {
  const detail = typeof val === "string" ? val : advice[tag];
  const text = `${tag}${detail === undefined ? "" : `: ${detail}`}`;
  const cause = Object.assign(new Error(text), { code: tag });
  return new TypeError(`fetch failed (${method} ${url.origin}${url.pathname}): ${text}`, { cause });
}
