import type { InputSource, OutputSink } from "../stdio.ts";

/** Puts the thread to sleep; `worker.terminate()` wakes it. */
export type Sleep = (milliseconds: number) => void;

/** Nanoseconds on a clock that never goes back. */
export type Monotonic = () => bigint;

/** The only error of a stream that a guest can meet here: nothing more to read. */
const closed = { tag: "closed" } as const;

/** How much a guest may write at once after asking; what is too much is for the sink to say. */
const permittedWrite = 65_536n;

/** wasi:io/poll `pollable`: ready at once, or from a point in time on. */
export class Pollable {
  readonly #readyAt: bigint | undefined;
  readonly #time: { readonly now: Monotonic; readonly sleep: Sleep };

  constructor(time: { readonly now: Monotonic; readonly sleep: Sleep }, readyAt?: bigint) {
    this.#time = time;
    this.#readyAt = readyAt;
  }

  ready(): boolean {
    return this.#readyAt === undefined || this.#time.now() >= this.#readyAt;
  }

  block(): void {
    Pollable.poll([this]);
  }

  /** wasi:io/poll `poll`: the indices of those that are ready, once there is one. */
  static poll(pollables: readonly Pollable[]): Uint32Array {
    const [first] = pollables;
    if (first === undefined) throw new TypeError("poll was called with an empty list");
    for (;;) {
      const ready = [...pollables.keys()].filter((index) => pollables[index]?.ready());
      if (ready.length > 0) return Uint32Array.from(ready);
      const next = pollables.reduce((least, pollable) => {
        const at = pollable.#readyAt ?? 0n;
        return at < least ? at : least;
      }, 2n ** 64n);
      const { now, sleep } = first.#time;
      // A timer of the thread may be a little early, and takes no more than 2^31 ms.
      sleep(Math.min(Number(next - now()) / 1e6 + 0.05, 1e9));
    }
  }
}

/** wasi:io/streams `input-stream` over bytes that are all there. */
export class InputStream {
  readonly #source: InputSource;
  readonly #pollable: () => Pollable;

  constructor(source: InputSource, pollable: () => Pollable) {
    this.#source = source;
    this.#pollable = pollable;
  }

  read(length: bigint): Uint8Array {
    const bytes = this.#source.read(length > 65_536n ? 65_536 : Number(length));
    if (bytes === undefined) throw closed;
    return bytes;
  }

  blockingRead(length: bigint): Uint8Array {
    return this.read(length);
  }

  skip(length: bigint): bigint {
    return BigInt(this.read(length).length);
  }

  blockingSkip(length: bigint): bigint {
    return this.skip(length);
  }

  subscribe(): Pollable {
    return this.#pollable();
  }
}

/** wasi:io/streams `output-stream` into a sink that ends the attempt when it takes too much. */
export class OutputStream {
  readonly #sink: OutputSink;
  readonly #pollable: () => Pollable;

  constructor(sink: OutputSink, pollable: () => Pollable) {
    this.#sink = sink;
    this.#pollable = pollable;
  }

  checkWrite(): bigint {
    return permittedWrite;
  }

  write(bytes: Uint8Array): void {
    this.#sink.write(bytes);
  }

  blockingWriteAndFlush(bytes: Uint8Array): void {
    this.#sink.write(bytes);
  }

  flush(): void {
    this.checkWrite();
  }

  blockingFlush(): void {
    this.checkWrite();
  }

  writeZeroes(length: bigint): void {
    const chunk = new Uint8Array(65_536);
    for (let left = length; left > 0n; left -= permittedWrite) {
      this.#sink.write(left < permittedWrite ? chunk.subarray(0, Number(left)) : chunk);
    }
  }

  blockingWriteZeroesAndFlush(length: bigint): void {
    this.writeZeroes(length);
  }

  splice(from: InputStream, length: bigint): bigint {
    const bytes = from.read(length < permittedWrite ? length : permittedWrite);
    this.#sink.write(bytes);
    return BigInt(bytes.length);
  }

  blockingSplice(from: InputStream, length: bigint): bigint {
    return this.splice(from, length);
  }

  subscribe(): Pollable {
    return this.#pollable();
  }
}

/** wasi:io/error `error`: present so that components link; none is ever made. */
export class IoError {
  toDebugString(): string {
    return "";
  }
}
