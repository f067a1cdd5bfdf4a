import type { Destination } from "../../runtime/capabilities.ts";

/** What the text of a destination gave; or why it is none. */
export type ParsedDestination =
  | { readonly ok: true; readonly destination: Destination; readonly port: boolean }
  | { readonly ok: false; readonly message: string; readonly suggestion?: string };

/** What is expected where a destination stands. */
export const destinationForm = "a host: api.example.com, *.example.com, http://localhost:3000";

const shape = /^(?:(https?):\/\/)?(\*\.)?([^\s/?#@:[\]*\\%]+|\[[\dA-Fa-f:.]+\]|\*)(?::(\d{1,5}))?$/;
const ipv4 = /^\d+\.\d+\.\d+\.\d+$/;
const longestName = 253;

/** Reads `[https://|http://]host[:port]`. Without a scheme it is https, without a port that of the scheme. */
export function parseDestination(text: string): ParsedDestination {
  const [, given, wildcard = "", name = "", port] = shape.exec(text) ?? [];
  if (name === "") return refuse(`${JSON.stringify(text)} is no host`, suggestionFor(text));
  if (name === "*" && wildcard !== "") return refuse("`*` alone stands for every host", "*");
  const scheme = given === "http" ? "http" : "https";
  const host = name === "*" ? name : hostname(name);
  if (host === undefined) return refuse(`${JSON.stringify(name)} is no host name`);
  const behind = port === undefined ? "" : `:${port}`;
  const before = given === undefined ? "" : `${given}://`;
  const isAddress = ipv4.test(host) || host.startsWith("[");
  if (isAddress && name.toLowerCase() !== host) {
    return refuse("an address has one way to be written here", `${before}${host}${behind}`);
  }
  if (isAddress && wildcard !== "") return refuse("an address has no names below it", `${before}${host}`);
  if (host.endsWith(".")) {
    return refuse("the dot at its end is left out", `${before}${wildcard}${host.slice(0, -1)}${behind}`);
  }
  const number = port === undefined ? defaultPort(scheme) : Number(port);
  if (number < 1 || number > 65_535) return refuse("a port is between 1 and 65535");
  const destination = { scheme, host: wildcard + host, ports: [number] } as const;
  return { ok: true, destination, port: port !== undefined };
}

function defaultPort(scheme: Destination["scheme"]): number {
  return scheme === "http" ? 80 : 443;
}

/** As URLs have it: in lower case, in ASCII, addresses in their one notation. */
function hostname(name: string): string | undefined {
  const url = `http://${name}/`;
  const host = URL.canParse(url) ? new URL(url).hostname : "";
  const labels = host.replace(/\.$/, "").split(".");
  const fits = host.length <= longestName && labels.every(({ length }) => length > 0 && length <= 63);
  return host.startsWith("[") || fits ? host : undefined;
}

function refuse(message: string, suggestion?: string): ParsedDestination {
  return { ok: false, message, ...(suggestion === undefined ? {} : { suggestion }) };
}

/** Somebody may have written a whole URL. */
function suggestionFor(text: string): string | undefined {
  if (!/^https?:\/\//.test(text) || !URL.canParse(text)) return undefined;
  const { protocol, host } = new URL(text);
  const without = protocol === "https:" ? host : `http://${host}`;
  return parseDestination(without).ok ? without : undefined;
}
