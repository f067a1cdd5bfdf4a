import { URL } from "../url.ts";
import { Body, type BodySource, extractBody } from "./body.ts";
import { Headers } from "./headers.ts";

interface ResponseInit {
  readonly status?: number;
  readonly statusText?: string;
  readonly headers?: unknown;
}

/** What is known of a response that came from a host. */
interface Received {
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly url: string;
  readonly redirected: boolean;
  readonly source: BodySource | null;
}

const nullBody = new Set([101, 103, 204, 205, 304]);
const redirects = new Set([301, 302, 303, 307, 308]);

/** Response of the Fetch standard. */
export class Response extends Body {
  readonly type: string;
  readonly url: string;
  readonly redirected: boolean;
  readonly status: number;
  readonly statusText: string;
  readonly headers: Headers;

  constructor(
    body?: unknown,
    init: ResponseInit | null = {},
    made?: Omit<Received, "status"> & { type: string },
  ) {
    const extracted = made === undefined ? extractBody(body) : { source: made.source, type: null };
    super(extracted.source);
    const { status = 200, statusText = "", headers } = init ?? {};
    const code = Number(status);
    if (made === undefined && !(code >= 200 && code <= 599))
      throw new RangeError(`init["status"] must be in the range of 200 to 599, inclusive.`);
    if (made === undefined && body !== null && body !== undefined && nullBody.has(code))
      throw new TypeError(`Response constructor: Invalid response status code ${code}`);
    // oxlint-disable-next-line no-control-regex -- a reason phrase is bytes of text
    if (/[^\t\x20-\x7e\x80-\xff]/.test(statusText)) throw new TypeError("Invalid statusText");
    this.status = Math.trunc(code);
    this.statusText = String(statusText);
    this.type = made?.type ?? "default";
    this.url = made?.url ?? "";
    this.redirected = made?.redirected ?? false;
    this.headers = made === undefined ? new Headers(headers) : Headers.received(made.headers);
    if (extracted.type !== null && !this.headers.has("content-type"))
      this.headers.append("content-type", extracted.type);
  }

  /** A response that a host sent. */
  static received(received: Received): Response {
    return new Response(null, { status: received.status }, { ...received, type: "basic" });
  }

  static error(): Response {
    const nothing = { headers: [], url: "", redirected: false, source: null };
    return new Response(null, { status: 0 }, { ...nothing, type: "error" });
  }

  static json(data: unknown, init: ResponseInit = {}): Response {
    const text = JSON.stringify(data) as string | undefined;
    if (text === undefined) throw new TypeError("Value is not JSON serializable");
    const response = new Response(text, init);
    if (!new Headers(init.headers).has("content-type"))
      response.headers.set("content-type", "application/json");
    return response;
  }

  static redirect(url: unknown, status = 302): Response {
    const target = URL.parse(String(url));
    if (target === null) throw new TypeError(`Failed to parse URL from ${String(url)}`);
    if (!redirects.has(status)) throw new RangeError(`Invalid status code ${status}`);
    const nothing = { url: "", redirected: false, source: null, type: "default" };
    return new Response(null, { status }, { ...nothing, headers: [["location", target.href]] });
  }

  get ok(): boolean {
    return this.status >= 200 && this.status <= 299;
  }

  clone(): Response {
    const { status, statusText, headers, url, redirected, type } = this;
    const source = Body.share(this);
    const copy = new Response(
      null,
      { status, statusText },
      { headers: [...headers], url, redirected, source, type },
    );
    return copy;
  }

  get [Symbol.toStringTag](): string {
    return "Response";
  }
}
