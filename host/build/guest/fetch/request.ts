import { AbortSignal } from "../abort.ts";
import { URL } from "../url.ts";
import { Body, type BodySource, extractBody } from "./body.ts";
import { Headers } from "./headers.ts";

type Redirect = "follow" | "error" | "manual";

interface RequestInit {
  readonly method?: string;
  readonly headers?: unknown;
  readonly body?: unknown;
  readonly redirect?: Redirect;
  readonly signal?: AbortSignal | null;
}

const upper = new Set(["DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"]);
const forbidden = new Set(["CONNECT", "TRACE", "TRACK"]);

function methodOf(method: string): string {
  const name = method.toUpperCase();
  if (!/^[!#$%&'*+\-.^_`|~\da-z]+$/i.test(method))
    throw new TypeError(`'${method}' is not a valid HTTP method.`);
  if (forbidden.has(name)) throw new TypeError(`'${method}' HTTP method is unsupported.`);
  return upper.has(name) ? name : method;
}

function urlOf(input: unknown): URL {
  const url = URL.parse(String(input));
  if (url === null) throw new TypeError(`Failed to parse URL from ${String(input)}`);
  if (url.username !== "" || url.password !== "")
    throw new TypeError(`Request cannot be constructed from a URL that includes credentials: ${url.href}`);
  return url;
}

/** Request of the Fetch standard, without what only a browser has a meaning for. */
export class Request extends Body {
  readonly method: string;
  readonly url: string;
  readonly headers: Headers;
  readonly redirect: Redirect;
  readonly signal: AbortSignal;

  constructor(input: unknown, init: RequestInit = {}) {
    const other = input instanceof Request ? input : undefined;
    const url = other?.url ?? urlOf(input).href;
    const method = init.method === undefined ? (other?.method ?? "GET") : methodOf(String(init.method));
    const given = init.body !== undefined && init.body !== null;
    const extracted = given ? extractBody(init.body) : { source: inherited(other, init), type: null };
    if (extracted.source !== null && (method === "GET" || method === "HEAD"))
      throw new TypeError("Request with GET/HEAD method cannot have body.");
    super(extracted.source);
    this.url = url;
    this.method = method;
    this.redirect = redirectOf(init.redirect ?? other?.redirect ?? "follow");
    this.signal = signalOf(init.signal === undefined ? other?.signal : init.signal);
    this.headers = new Headers(init.headers ?? other?.headers);
    if (extracted.type !== null && !this.headers.has("content-type"))
      this.headers.append("content-type", extracted.type);
  }

  clone(): Request {
    const { url, method, headers, redirect, signal } = this;
    const source = Body.share(this);
    return new Request(url, { method, headers, redirect, signal, body: source?.take() });
  }

  get [Symbol.toStringTag](): string {
    return "Request";
  }
}

/** The body of the request that another one is made of, which is read by that. */
function inherited(other: Request | undefined, init: RequestInit): BodySource | null {
  return other === undefined || init.body === null ? null : Body.spend(other);
}

function redirectOf(redirect: string): Redirect {
  if (redirect === "follow" || redirect === "error" || redirect === "manual") return redirect;
  throw new TypeError(
    `Request constructor: ${redirect} is not an accepted type. Expected one of follow, error, manual.`,
  );
}

function signalOf(signal: AbortSignal | null | undefined): AbortSignal {
  if (signal === undefined || signal === null) return new AbortSignal();
  if (typeof signal === "object" && "aborted" in signal && typeof signal.addEventListener === "function")
    return signal;
  throw new TypeError("Failed to construct 'Request': member signal is not of type AbortSignal.");
}
