import { installAbort } from "./abort.ts";
import { Body, type BodySource } from "./fetch/body.ts";
import { Headers } from "./fetch/headers.ts";
import { Request } from "./fetch/request.ts";
import { Response } from "./fetch/response.ts";
import { type Answer, send } from "./fetch/send.ts";
import { URL } from "./url.ts";

const { host, reachOutside } = __millrace;

const redirects = new Set([301, 302, 303, 307, 308]);
const mostRedirects = 20;

/** Headers that tell of a body, and those that are for one origin alone. */
const ofBody = ["content-encoding", "content-language", "content-location", "content-type", "content-length"];
const ofOrigin = ["authorization", "proxy-authorization", "cookie", "host"];

/** fetch of the Fetch standard: each redirect is a request of its own, which the host checks like any other. */
async function fetch(input: unknown, init?: object): Promise<Response> {
  const { http } = host;
  if (http === undefined) throw new TypeError("fetch is not there without the capability `http`");
  const request = new Request(input, init);
  reachOutside("the network");
  const { signal, redirect } = request;
  signal.throwIfAborted();
  const headers = new Headers(request.headers);
  if (!headers.has("accept")) headers.set("accept", "*/*");
  let { method } = request;
  let source: BodySource | null = Body.spend(request);
  let url = new URL(request.url);
  for (let hops = 0; ; hops++) {
    if (url.protocol !== "https:" && url.protocol !== "http:")
      throw new TypeError(`fetch failed: a step can't fetch from ${url.protocol}`);
    const answer = await send(http, { method, url, headers, source, signal });
    const target = redirects.has(answer.status) ? targetOf(answer, url) : undefined;
    if (target === undefined || redirect === "manual") return responseOf(answer, url, hops, method);
    if (redirect === "error") throw new TypeError(`fetch failed: unexpected redirect to ${target.href}`);
    if (hops === mostRedirects) throw new TypeError("fetch failed: redirect count exceeded");
    const { status } = answer;
    if ((status === 303 && method !== "GET" && method !== "HEAD") || (status < 303 && method === "POST")) {
      method = "GET";
      source = null;
      for (const name of ofBody) headers.delete(name);
    }
    if (target.origin !== url.origin) for (const name of ofOrigin) headers.delete(name);
    // The part behind # goes along, unless the target has its own.
    if (target.hash === "") target.hash = url.hash;
    url = target;
  }
}

function targetOf({ headers }: Answer, base: URL): URL | undefined {
  const location = headers.find(([name]) => name.toLowerCase() === "location")?.[1];
  if (location === undefined) return undefined;
  const target = URL.parse(location, base);
  if (target === null) throw new TypeError(`fetch failed: a redirect leads to ${JSON.stringify(location)}`);
  return target;
}

function responseOf({ status, headers, source }: Answer, url: URL, hops: number, method: string): Response {
  const shown = new URL(url.href);
  shown.hash = "";
  const empty = method === "HEAD" || status === 204 || status === 205 || status === 304;
  return Response.received({
    status,
    headers,
    url: shown.href,
    redirected: hops > 0,
    source: empty ? null : source,
  });
}

/** fetch, Headers, Request and Response, and the AbortSignal that they go with; fetch itself where the step has `http`. */
export function installFetch(): void {
  installAbort();
  Object.assign(globalThis, { Headers, Request, Response });
  if (host.http !== undefined) Object.assign(globalThis, { fetch });
}
