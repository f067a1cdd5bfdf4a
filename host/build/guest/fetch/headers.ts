type Entry = [name: string, value: string];

const token = /^[!#$%&'*+\-.^_`|~\da-z]+$/i;

function checkName(name: string): string {
  if (!token.test(name)) throw new TypeError(`Headers: ${JSON.stringify(name)} is an invalid header name.`);
  return name.toLowerCase();
}

function checkValue(value: string): string {
  const trimmed = value.replace(/^[\t\n\r ]+|[\t\n\r ]+$/g, "");
  // oxlint-disable-next-line no-control-regex -- a header's value is bytes, without these three
  if (/[\0\n\r]|[^\0-\xff]/.test(trimmed))
    throw new TypeError(`Headers: ${JSON.stringify(trimmed)} is an invalid header value.`);
  return trimmed;
}

/** Headers of the Fetch standard. */
export class Headers {
  #entries: Entry[] = [];
  #immutable = false;

  constructor(init?: unknown) {
    if (init !== undefined) this.#fill(init);
  }

  /** Headers that a host sent: nobody may change them. */
  static received(entries: readonly (readonly [string, string])[]): Headers {
    const headers = new Headers();
    headers.#entries = entries.map(([name, value]) => [name.toLowerCase(), value]);
    headers.#immutable = true;
    return headers;
  }

  #fill(init: unknown): void {
    if (typeof init !== "object" || init === null)
      throw new TypeError("Headers: the argument must be a sequence or a record.");
    const iterable = init as { [Symbol.iterator]?: () => Iterator<Iterable<unknown>> };
    if (typeof iterable[Symbol.iterator] !== "function") {
      for (const name of Reflect.ownKeys(init)) {
        if (!Object.getOwnPropertyDescriptor(init, name)?.enumerable) continue;
        if (typeof name === "symbol") throw new TypeError("Headers: a name can't be a symbol.");
        this.append(name, (init as Record<string, unknown>)[name]);
      }
      return;
    }
    for (const pair of iterable as Iterable<Iterable<unknown>>) {
      const parts = [...pair];
      if (parts.length !== 2) throw new TypeError("Headers: each element must be a pair of name and value.");
      this.append(parts[0], parts[1]);
    }
  }

  #change(): void {
    if (this.#immutable) throw new TypeError("immutable");
  }

  append(name: unknown, value: unknown): void {
    const entry: Entry = [checkName(String(name)), checkValue(String(value))];
    this.#change();
    this.#entries.push(entry);
  }

  delete(name: unknown): void {
    const wanted = checkName(String(name));
    this.#change();
    this.#entries = this.#entries.filter(([known]) => known !== wanted);
  }

  get(name: unknown): string | null {
    const wanted = checkName(String(name));
    const values = this.#entries.filter(([known]) => known === wanted).map(([, value]) => value);
    return values.length === 0 ? null : values.join(", ");
  }

  getSetCookie(): string[] {
    return this.#entries.filter(([name]) => name === "set-cookie").map(([, value]) => value);
  }

  has(name: unknown): boolean {
    const wanted = checkName(String(name));
    return this.#entries.some(([known]) => known === wanted);
  }

  set(name: unknown, value: unknown): void {
    const entry: Entry = [checkName(String(name)), checkValue(String(value))];
    this.#change();
    const at = this.#entries.findIndex(([known]) => known === entry[0]);
    if (at === -1) this.#entries.push(entry);
    else
      this.#entries = this.#entries.flatMap((known, index) =>
        index === at ? [entry] : known[0] === entry[0] ? [] : [known],
      );
  }

  /** Sorted by name, the values of one name together, but for cookies. */
  #sorted(): Entry[] {
    const names = [...new Set(this.#entries.map(([name]) => name))].toSorted();
    return names.flatMap((name): Entry[] =>
      name === "set-cookie"
        ? this.getSetCookie().map((value) => [name, value])
        : [[name, this.get(name) ?? ""]],
    );
  }

  *entries(): Generator<Entry> {
    // Looked at anew for each: what a loop changes is seen by it.
    for (let index = 0; ; index++) {
      const entry = this.#sorted()[index];
      if (entry === undefined) return;
      yield entry;
    }
  }

  *keys(): Generator<string> {
    for (const [name] of this.entries()) yield name;
  }

  *values(): Generator<string> {
    for (const [, value] of this.entries()) yield value;
  }

  forEach(callback: (value: string, name: string, headers: Headers) => void, self?: unknown): void {
    for (const [name, value] of this.entries()) callback.call(self, value, name, this);
  }

  [Symbol.iterator](): Generator<Entry> {
    return this.entries();
  }

  get [Symbol.toStringTag](): string {
    return "Headers";
  }
}
