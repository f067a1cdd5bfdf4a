import { decodeUtf8, encodeUtf8 } from "./text.ts";
import { percentBytes, percentDecode } from "./url-encoding.ts";

type Pair = [name: string, value: string];

function decode(text: string): string {
  return decodeUtf8(percentDecode(text.replaceAll("+", " ")));
}

function encode(text: string): string {
  return text.replace(/[^a-zA-Z0-9*._-]+/gu, (run) =>
    percentBytes(encodeUtf8(run))
      .replace(/%20/g, "+")
      .replace(/%(2A|2D|2E|5F)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
  );
}

function parse(text: string): Pair[] {
  return text
    .split("&")
    .filter((part) => part !== "")
    .map((part) => {
      const [name = "", ...value] = part.split("=");
      return [decode(name), decode(value.join("="))];
    });
}

/** URLSearchParams of the URL standard; `changed` hears of every change. */
export class URLSearchParams {
  #pairs: Pair[];
  #changed: () => void = () => {};

  /** The parameters of a URL's query, which tell the URL when they change. */
  static ofUrl(query: string, changed: () => void): URLSearchParams {
    const params = new URLSearchParams(query);
    params.#changed = changed;
    return params;
  }

  constructor(init: string | Iterable<readonly [unknown, unknown]> | Readonly<Record<string, unknown>> = "") {
    if (typeof init === "object" && init !== null) {
      const pairs = Symbol.iterator in init ? [...init] : Object.entries(init);
      this.#pairs = pairs.map(([name, value]) => [String(name), String(value)]);
    } else this.#pairs = parse(String(init).replace(/^\?/, ""));
  }

  get size(): number {
    return this.#pairs.length;
  }

  append(name: unknown, value: unknown): void {
    this.#pairs.push([String(name), String(value)]);
    this.#changed();
  }

  delete(name: unknown, value?: unknown): void {
    this.#pairs = this.#pairs.filter(
      ([key, found]) => key !== String(name) || (value !== undefined && found !== String(value)),
    );
    this.#changed();
  }

  get(name: unknown): string | null {
    return this.#pairs.find(([key]) => key === String(name))?.[1] ?? null;
  }

  getAll(name: unknown): string[] {
    return this.#pairs.filter(([key]) => key === String(name)).map(([, value]) => value);
  }

  has(name: unknown, value?: unknown): boolean {
    return this.#pairs.some(
      ([key, found]) => key === String(name) && (value === undefined || found === String(value)),
    );
  }

  set(name: unknown, value: unknown): void {
    const at = this.#pairs.findIndex(([key]) => key === String(name));
    if (at === -1) return this.append(name, value);
    this.#pairs = this.#pairs.filter(([key], index) => index <= at || key !== String(name));
    this.#pairs[at] = [String(name), String(value)];
    this.#changed();
  }

  sort(): void {
    this.#pairs.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    this.#changed();
  }

  forEach(callback: (value: string, name: string, params: URLSearchParams) => void, thisArg?: unknown): void {
    for (const [name, value] of this.#pairs) callback.call(thisArg, value, name, this);
  }

  *entries(): IterableIterator<[string, string]> {
    for (const [name, value] of this.#pairs) yield [name, value];
  }

  *keys(): IterableIterator<string> {
    for (const [name] of this.#pairs) yield name;
  }

  *values(): IterableIterator<string> {
    for (const [, value] of this.#pairs) yield value;
  }

  [Symbol.iterator](): IterableIterator<[string, string]> {
    return this.entries();
  }

  toString(): string {
    return this.#pairs.map(([name, value]) => `${encode(name)}=${encode(value)}`).join("&");
  }

  get [Symbol.toStringTag](): string {
    return "URLSearchParams";
  }
}
