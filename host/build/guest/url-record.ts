import { percentEncode } from "./url-encoding.ts";
import { parseHost } from "./url-host.ts";

/** A URL taken apart, as the URL standard's "URL record". */
export interface UrlRecord {
  scheme: string;
  username: string;
  password: string;
  host: string | undefined;
  port: number | undefined;
  /** Segments; a string for an opaque path, as in mailto:x. */
  path: string[] | string;
  query: string | undefined;
  fragment: string | undefined;
}

const defaultPorts: Readonly<Record<string, number | undefined>> = {
  http: 80,
  https: 443,
  ws: 80,
  wss: 443,
  ftp: 21,
  file: undefined,
};

/** Whether a scheme is one of those that the standard treats alike: http, https, ws, wss, ftp, file. */
export function isSpecial(scheme: string): boolean {
  return Object.hasOwn(defaultPorts, scheme);
}

/** Parses a URL; undefined when it is not valid. */
export function parseUrl(input: string, base?: UrlRecord): UrlRecord | undefined {
  // oxlint-disable-next-line no-control-regex -- the standard strips them
  const text = input.replace(/^[\0-\x20]+|[\0-\x20]+$/g, "").replace(/[\t\n\r]/g, "");
  const match = /^([a-z][a-z0-9+.-]*):/i.exec(text);
  if (match === null) return base && parseRelative(text, base);
  const scheme = (match[1] ?? "").toLowerCase();
  const rest = text.slice(match[0].length);
  const url = empty(scheme);
  if (scheme === "file") return parseFile(url, rest, base?.scheme === "file" ? base : undefined);
  if (isSpecial(scheme)) {
    if (base?.scheme === scheme && !rest.startsWith("//")) return parseRelative(rest, base);
    return parseAuthority(url, rest.replace(/^[/\\]+/, ""));
  }
  if (rest.startsWith("//")) return parseAuthority(url, rest.slice(2));
  const { before, query, fragment } = split(rest, false);
  const path = rest.startsWith("/") ? parsePath(before, false, []) : percentEncode(before, "control");
  return { ...url, path, query, fragment };
}

function empty(scheme: string): UrlRecord {
  return {
    scheme,
    username: "",
    password: "",
    host: undefined,
    port: undefined,
    path: [],
    query: undefined,
    fragment: undefined,
  };
}

function split(
  text: string,
  special: boolean,
): { before: string; query: string | undefined; fragment: string | undefined } {
  const [withoutFragment = "", ...fragments] = text.split("#");
  const [before = "", ...queries] = withoutFragment.split("?");
  return {
    before,
    query:
      queries.length === 0 ? undefined : percentEncode(queries.join("?"), special ? "specialQuery" : "query"),
    fragment: fragments.length === 0 ? undefined : percentEncode(fragments.join("#"), "fragment"),
  };
}

function parseRelative(text: string, base: UrlRecord): UrlRecord | undefined {
  if (typeof base.path === "string") {
    return text.startsWith("#") ? { ...base, fragment: split(text, false).fragment } : undefined;
  }
  const special = isSpecial(base.scheme);
  if (base.scheme === "file") return parseFile(empty("file"), text, base);
  const slashes = /^[/\\]*/.exec(special ? text : text.replace(/\\.*/s, ""))?.[0] ?? "";
  if (slashes.length >= 2)
    return parseAuthority(empty(base.scheme), text.slice(special ? slashes.length : 2));
  const { before, query, fragment } = split(text, special);
  if (before === "") return { ...base, path: [...base.path], query: query ?? base.query, fragment };
  const start = slashes.length === 1 ? [] : base.path.slice(0, -1);
  return { ...base, path: parsePath(before, special, start), query, fragment };
}

function parseAuthority(url: UrlRecord, text: string): UrlRecord | undefined {
  const special = isSpecial(url.scheme);
  const end = text.search(special ? /[/\\?#]/ : /[/?#]/);
  const authority = end === -1 ? text : text.slice(0, end);
  const at = authority.lastIndexOf("@");
  if (at !== -1) {
    const [username = "", ...password] = authority.slice(0, at).split(":");
    url.username = percentEncode(username, "userinfo");
    url.password = percentEncode(password.join(":"), "userinfo");
    if (at === authority.length - 1) return undefined;
  }
  if (!setHost(url, authority.slice(at + 1))) return undefined;
  const { before, query, fragment } = split(end === -1 ? "" : text.slice(end), special);
  const path = before === "" && !special ? [] : parsePath(before, special, []);
  return { ...url, path, query, fragment };
}

/** Sets host and port from `host[:port]`; false when they are not valid. */
export function setHost(url: UrlRecord, text: string): boolean {
  const special = isSpecial(url.scheme);
  const match = /^(\[[^\]]*\]|[^:]*)(?::(\d*))?$/.exec(text);
  if (match === null) return false;
  const [, name = "", port] = match;
  if (name === "" && (special || port !== undefined)) return false;
  const host = name === "" ? "" : parseHost(name, special);
  if (host === undefined || Number(port ?? 0) > 65_535) return false;
  url.host = host;
  setPort(url, port ?? "");
  return true;
}

/** Sets the port, or takes it away when it is the scheme's own or "". */
export function setPort(url: UrlRecord, port: string): void {
  url.port = port === "" || Number(port) === defaultPorts[url.scheme] ? undefined : Number(port);
}

function parseFile(url: UrlRecord, text: string, base: UrlRecord | undefined): UrlRecord | undefined {
  url.host = "";
  const { before, query, fragment } = split(text, true);
  const basePath = base !== undefined && typeof base.path !== "string" ? base.path : [];
  if (/^[/\\]{2}/.test(before)) {
    const [, name = "", rest = ""] = /^([^/\\]*)(.*)$/s.exec(before.slice(2)) ?? [];
    const drive = /^[a-z][:|]$/i.test(name);
    const host = drive || name === "" ? "" : parseHost(name, true);
    if (host === undefined) return undefined;
    const path = parsePath(drive ? `/${name}${rest}` : rest, true, [], true);
    return { ...url, host: host === "localhost" ? "" : host, path, query, fragment };
  }
  if (/^[/\\]/.test(before)) {
    const drive = /^[a-z]:$/i.test(basePath[0] ?? "") && !/^[/\\][a-z][:|](?=[/\\]|$)/i.test(before);
    const start = drive ? basePath.slice(0, 1) : [];
    return { ...url, host: base?.host ?? "", path: parsePath(before, true, start, true), query, fragment };
  }
  if (base === undefined || /^[a-z][:|](?=[/\\]|$)/i.test(before)) {
    return { ...url, path: parsePath(before, true, [], true), query, fragment };
  }
  if (before === "") return { ...base, path: [...basePath], query: query ?? base.query, fragment };
  const start =
    basePath.length === 1 && /^[a-z]:$/i.test(basePath[0] ?? "") ? basePath : basePath.slice(0, -1);
  return { ...url, host: base.host, path: parsePath(before, true, start, true), query, fragment };
}

/** The segments of a path text, put behind `start`. */
export function parsePath(text: string, special: boolean, start: readonly string[], file = false): string[] {
  const path = [...start];
  const segments = text.replace(special ? /^[/\\]/ : /^\//, "").split(special ? /[/\\]/ : "/");
  for (const [index, segment] of segments.entries()) {
    const last = index === segments.length - 1;
    const plain = segment.replace(/%2e/gi, ".");
    if (plain === "..") {
      if (!(file && path.length === 1 && /^[a-z]:$/i.test(path[0] ?? ""))) path.pop();
      if (last) path.push("");
    } else if (plain === ".") {
      if (last) path.push("");
    } else if (file && path.length === 0 && /^[a-z]\|$/i.test(segment)) path.push(`${segment[0] ?? ""}:`);
    else path.push(percentEncode(segment, "path"));
  }
  return path;
}

/** The path as text. */
export function pathText({ path }: UrlRecord): string {
  return typeof path === "string" ? path : path.map((segment) => `/${segment}`).join("");
}

/** The whole URL as text. */
export function urlText(url: UrlRecord, withFragment = true): string {
  let text = `${url.scheme}:`;
  if (url.host !== undefined) {
    const password = url.password === "" ? "" : `:${url.password}`;
    const credentials = url.username === "" && password === "" ? "" : `${url.username}${password}@`;
    text += `//${credentials}${url.host}${url.port === undefined ? "" : `:${url.port}`}`;
  } else if (typeof url.path !== "string" && url.path.length > 1 && url.path[0] === "") text += "/.";
  text += pathText(url);
  if (url.query !== undefined) text += `?${url.query}`;
  return withFragment && url.fragment !== undefined ? `${text}#${url.fragment}` : text;
}
