import { percentEncode } from "./url-encoding.ts";
import {
  isSpecial,
  parsePath,
  parseUrl,
  pathText,
  setHost,
  setPort,
  type UrlRecord,
  urlText,
} from "./url-record.ts";
import { URLSearchParams } from "./url-search-params.ts";

/** URL of the URL standard (WHATWG). Of IDNA it has the mapping and Punycode, not the table of what is disallowed. */
export class URL {
  #url: UrlRecord;
  #params: URLSearchParams | undefined;

  static canParse(input: unknown, base?: unknown): boolean {
    return URL.parse(input, base) !== null;
  }

  static parse(input: unknown, base?: unknown): URL | null {
    try {
      return new URL(input, base);
    } catch {
      return null;
    }
  }

  constructor(input: unknown, base?: unknown) {
    const against = base === undefined ? undefined : parseUrl(String(base));
    const url = base !== undefined && against === undefined ? undefined : parseUrl(String(input), against);
    if (url === undefined)
      throw Object.assign(new TypeError("Invalid URL"), { code: "ERR_INVALID_URL", input: String(input) });
    this.#url = url;
  }

  get href(): string {
    return urlText(this.#url);
  }

  set href(value: string) {
    this.#url = new URL(value).#url;
    this.#params = undefined;
  }

  get origin(): string {
    const { scheme, host, port } = this.#url;
    if (scheme === "blob") return URL.parse(pathText(this.#url))?.origin ?? "null";
    if (!isSpecial(scheme) || scheme === "file") return "null";
    return `${scheme}://${host ?? ""}${port === undefined ? "" : `:${port}`}`;
  }

  get protocol(): string {
    return `${this.#url.scheme}:`;
  }

  set protocol(value: string) {
    const scheme = /^([a-z][a-z0-9+.-]*)(:|$)/i.exec(String(value))?.[1]?.toLowerCase();
    if (scheme === undefined || isSpecial(scheme) !== isSpecial(this.#url.scheme)) return;
    if (scheme === "file" && (this.#url.port !== undefined || this.#url.username !== "")) return;
    if (this.#url.scheme === "file" && this.#url.host === "") return;
    this.#url.scheme = scheme;
    setPort(this.#url, String(this.#url.port ?? ""));
  }

  get username(): string {
    return this.#url.username;
  }

  set username(value: string) {
    if (this.#hasAuthority()) this.#url.username = percentEncode(String(value), "userinfo");
  }

  get password(): string {
    return this.#url.password;
  }

  set password(value: string) {
    if (this.#hasAuthority()) this.#url.password = percentEncode(String(value), "userinfo");
  }

  #hasAuthority(): boolean {
    return Boolean(this.#url.host) && this.#url.scheme !== "file";
  }

  get host(): string {
    const { host = "", port } = this.#url;
    return port === undefined ? host : `${host}:${port}`;
  }

  set host(value: string) {
    this.#setHost(String(value), true);
  }

  get hostname(): string {
    return this.#url.host ?? "";
  }

  set hostname(value: string) {
    this.#setHost(String(value), false);
  }

  #setHost(value: string, withPort: boolean): void {
    if (typeof this.#url.path === "string") return;
    const text = value.split(isSpecial(this.#url.scheme) ? /[/\\?#]/ : /[/?#]/)[0] ?? "";
    const [name = "", port] = /^(\[[^\]]*\]|[^:]*)(?::(\d*))?/.exec(text)?.slice(1) ?? [];
    if (this.#url.scheme === "file" && text.length > name.length) return;
    const candidate = { ...this.#url };
    const portAllowed = withPort && name !== "";
    if ((port !== undefined && !portAllowed) || !setHost(candidate, name)) return;
    candidate.port = this.#url.port;
    if (port !== undefined && port !== "" && Number(port) <= 65_535) setPort(candidate, port);
    this.#url = candidate;
  }

  get port(): string {
    return String(this.#url.port ?? "");
  }

  set port(value: string) {
    if (!this.#hasAuthority()) return;
    const digits = /^\d+/.exec(String(value))?.[0];
    if (String(value) === "") this.#url.port = undefined;
    else if (digits !== undefined && Number(digits) <= 65_535) setPort(this.#url, digits);
  }

  get pathname(): string {
    return pathText(this.#url);
  }

  set pathname(value: string) {
    if (typeof this.#url.path === "string") return;
    const { scheme, host } = this.#url;
    const plain = value === "" && host !== undefined && !isSpecial(scheme);
    this.#url.path = plain ? [] : parsePath(String(value), isSpecial(scheme), [], scheme === "file");
  }

  get search(): string {
    return this.#url.query ? `?${this.#url.query}` : "";
  }

  set search(value: string) {
    const text = String(value);
    const set = isSpecial(this.#url.scheme) ? "specialQuery" : "query";
    this.#url.query = text === "" ? undefined : percentEncode(text.replace(/^\?/, ""), set);
    this.#params = undefined;
  }

  get searchParams(): URLSearchParams {
    this.#params ??= URLSearchParams.ofUrl(this.#url.query ?? "", () => {
      this.#url.query = this.#params?.toString() || undefined;
    });
    return this.#params;
  }

  get hash(): string {
    return this.#url.fragment ? `#${this.#url.fragment}` : "";
  }

  set hash(value: string) {
    const text = String(value);
    this.#url.fragment = text === "" ? undefined : percentEncode(text.replace(/^#/, ""), "fragment");
  }

  toString(): string {
    return this.href;
  }

  toJSON(): string {
    return this.href;
  }

  get [Symbol.toStringTag](): string {
    return "URL";
  }
}

/** URL and URLSearchParams. */
export function installUrl(): void {
  Object.assign(globalThis, { URL, URLSearchParams });
}
