import type { LogLine } from "../../../driver.ts";
import type { InputSource, OutputSink } from "../stdio.ts";
import type { Tmp } from "../tmp/tmp.ts";

/** Time and randomness of one attempt. */
export interface Ambient {
  /** Nanoseconds since 1970-01-01T00:00:00Z. */
  wallClock(): bigint;
  /** Nanoseconds on a clock that never goes back. */
  monotonicClock(): bigint;
  /** Fills the array with random bytes. */
  random(bytes: Uint8Array): void;
  /** Puts the thread to sleep until then, in nanoseconds of the monotonic clock; ending the worker wakes it. */
  waitUntil(time: bigint): void;
}

/** All that one attempt can reach. */
export interface StepWorld {
  readonly args: readonly string[];
  /** The variables of the environment: name and value. */
  readonly env: readonly (readonly [string, string])[];
  readonly stdin: InputSource;
  readonly stdout: OutputSink;
  readonly stderr: OutputSink;
  log(level: LogLine["level"], message: string): void;
  /** Ends the guest. */
  exit(status: number): never;
  /** Hears of what the host throws at the guest, which could catch it. */
  threw(error: unknown): void;
  readonly ambient: Ambient;
  /** Its scratch folder, where that is granted. */
  readonly tmp?: Tmp;
  /** The most bytes that the guest could hold; it gets no longer list. */
  readonly memoryBytes: number;
}
