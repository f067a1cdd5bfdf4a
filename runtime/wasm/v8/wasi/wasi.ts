import type { LogLine } from "../../../driver.ts";
import type { InputSource, OutputSink } from "../stdio.ts";
import { deniedInterfaces } from "./denied.ts";
import { InputStream, IoError, OutputStream, Pollable } from "./io.ts";

/** Time and randomness of one attempt. */
export interface Ambient {
  /** Nanoseconds since 1970-01-01T00:00:00Z. */
  wallClock(): bigint;
  /** Nanoseconds on a clock that never goes back. */
  monotonicClock(): bigint;
  /** Fills the array with random bytes. */
  random(bytes: Uint8Array): void;
  /** Puts the thread to sleep; ending the worker wakes it. */
  sleep(milliseconds: number): void;
}

/** All that one attempt can reach. */
export interface StepWorld {
  readonly args: readonly string[];
  readonly stdin: InputSource;
  readonly stdout: OutputSink;
  readonly stderr: OutputSink;
  log(level: LogLine["level"], message: string): void;
  /** Ends the guest. */
  exit(status: number): never;
  readonly ambient: Ambient;
  /** The most bytes that the guest could hold; it gets no longer list. */
  readonly memoryBytes: number;
}

/** Implementations of imported interfaces by name without version, as the transpiled component asks for them. */
export type Imports = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

const nanosecondsPerSecond = 1_000_000_000n;

/** A fresh synchronous WASI 0.2 host, and `millrace:step/log`, for one attempt. */
export function createImports(world: StepWorld): Imports {
  const { ambient } = world;
  const time = { now: ambient.monotonicClock, sleep: ambient.sleep };
  const ready = (): Pollable => new Pollable(time);
  const randomBytes = (length: bigint): Uint8Array => {
    if (length > BigInt(world.memoryBytes))
      throw new TypeError(`a list of ${length} random bytes was asked for`);
    const bytes = new Uint8Array(Number(length));
    ambient.random(bytes);
    return bytes;
  };
  const randomU64 = (): bigint => {
    const words = new BigUint64Array(1);
    ambient.random(new Uint8Array(words.buffer));
    return words[0] ?? 0n;
  };
  return {
    ...deniedInterfaces,
    "millrace:step/log": { log: world.log },
    "wasi:cli/environment": {
      getEnvironment: () => [],
      getArguments: () => world.args,
      initialCwd: () => undefined,
    },
    "wasi:cli/exit": {
      exit: (status: { readonly tag: "ok" | "err" }) => world.exit(status.tag === "ok" ? 0 : 1),
      exitWithCode: world.exit,
    },
    "wasi:cli/stdin": { getStdin: () => new InputStream(world.stdin, ready) },
    "wasi:cli/stdout": { getStdout: () => new OutputStream(world.stdout, ready) },
    "wasi:cli/stderr": { getStderr: () => new OutputStream(world.stderr, ready) },
    "wasi:clocks/monotonic-clock": {
      now: ambient.monotonicClock,
      resolution: () => 1_000n,
      subscribeInstant: (when: bigint) => new Pollable(time, when),
      subscribeDuration: (duration: bigint) => new Pollable(time, ambient.monotonicClock() + duration),
    },
    "wasi:clocks/wall-clock": {
      now: () => datetime(ambient.wallClock()),
      resolution: () => datetime(1_000_000n),
    },
    "wasi:io/error": { Error: IoError },
    "wasi:io/poll": { Pollable, poll: Pollable.poll },
    "wasi:io/streams": { InputStream, OutputStream },
    "wasi:random/random": { getRandomBytes: randomBytes, getRandomU64: randomU64 },
    "wasi:random/insecure": { getInsecureRandomBytes: randomBytes, getInsecureRandomU64: randomU64 },
    "wasi:random/insecure-seed": { insecureSeed: () => [randomU64(), randomU64()] },
  };
}

function datetime(nanoseconds: bigint): { readonly seconds: bigint; readonly nanoseconds: number } {
  return {
    seconds: nanoseconds / nanosecondsPerSecond,
    nanoseconds: Number(nanoseconds % nanosecondsPerSecond),
  };
}
