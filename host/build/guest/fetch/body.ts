import { decodeUtf8, encodeUtf8 } from "../text.ts";
import { URLSearchParams } from "../url-search-params.ts";

/** Bytes that are there, or that can be read once. */
export interface BodySource {
  take(): Uint8Array<ArrayBuffer>;
}

/** A body, and the type that it has by itself. */
interface ExtractedBody {
  readonly source: BodySource | null;
  readonly type: string | null;
}

/** A source whose bytes are read when they are first asked for, and then kept. */
export function lazySource(read: () => Uint8Array<ArrayBuffer>): BodySource {
  let bytes: Uint8Array<ArrayBuffer> | undefined;
  return { take: () => (bytes ??= read()) };
}

/** What a request or response is made of. */
export function extractBody(body: unknown): ExtractedBody {
  if (body === null || body === undefined) return { source: null, type: null };
  if (body instanceof ArrayBuffer || ArrayBuffer.isView(body)) {
    const bytes = copyOf(body);
    return { source: lazySource(() => bytes), type: null };
  }
  const form = body instanceof URLSearchParams;
  const bytes = new Uint8Array(encodeUtf8(String(body)));
  const type = form ? "application/x-www-form-urlencoded;charset=UTF-8" : "text/plain;charset=UTF-8";
  return { source: lazySource(() => bytes), type };
}

function copyOf(body: ArrayBuffer | ArrayBufferView): Uint8Array<ArrayBuffer> {
  if (body instanceof ArrayBuffer) return new Uint8Array(body.slice(0));
  const bytes = new Uint8Array(body.byteLength);
  bytes.set(new Uint8Array(body.buffer, body.byteOffset, body.byteLength));
  return bytes;
}

/** As much of a ReadableStream as reading a body takes: one chunk, then the end. */
class BodyStream {
  locked = false;
  readonly #take: () => Uint8Array;
  #done = false;

  constructor(take: () => Uint8Array) {
    this.#take = take;
  }

  getReader(): object {
    if (this.locked) throw new TypeError("Invalid state: ReadableStream is locked");
    this.locked = true;
    return {
      read: () => this.#read(),
      cancel: () => this.cancel(),
      releaseLock: () => void (this.locked = false),
      closed: Promise.resolve(),
    };
  }

  cancel(): Promise<void> {
    this.#done = true;
    return Promise.resolve();
  }

  #read(): Promise<{ value: Uint8Array | undefined; done: boolean }> {
    return Promise.resolve().then(() => {
      const value = this.#done ? undefined : this.#take();
      this.#done = true;
      return value === undefined || value.length === 0
        ? { value: undefined, done: true }
        : { value, done: false };
    });
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    const { value } = await this.#read();
    if (value !== undefined) yield value;
  }
}

/** What Request and Response have in common. */
export class Body {
  readonly #source: BodySource | null;
  #used = false;
  #stream: BodyStream | undefined;

  constructor(source: BodySource | null) {
    this.#source = source;
  }

  /** The source for a copy; throws where the body was read already. */
  static share(body: Body): BodySource | null {
    if (body.bodyUsed) throw new TypeError("Body is unusable: Body has already been read");
    return body.#source;
  }

  /** Counts the body as read: it goes on to a request. */
  static spend(body: Body): BodySource | null {
    const source = Body.share(body);
    if (source !== null) body.#used = true;
    return source;
  }

  get bodyUsed(): boolean {
    return this.#used;
  }

  get body(): BodyStream | null {
    const source = this.#source;
    if (source === null) return null;
    return (this.#stream ??= new BodyStream(() => {
      this.#used = true;
      return source.take();
    }));
  }

  async #consume(): Promise<Uint8Array<ArrayBuffer>> {
    if (this.#stream?.locked) throw new TypeError("Body is unusable: Body is locked");
    return (Body.spend(this)?.take() ?? new Uint8Array(0)).slice();
  }

  bytes(): Promise<Uint8Array> {
    return this.#consume();
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return (await this.#consume()).buffer;
  }

  async text(): Promise<string> {
    const text = decodeUtf8(await this.#consume());
    return text.startsWith("\ufeff") ? text.slice(1) : text;
  }

  async json(): Promise<unknown> {
    return JSON.parse(await this.text());
  }
}
