import type { LogLine } from "../../../driver.ts";
import type { RuntimeErrorCode } from "../../../errors.ts";
import type { CallLine } from "../call-line.ts";
import type { InputSource, OutputSink } from "../stdio.ts";
import type { Tmp } from "../tmp/tmp.ts";

/** Time and randomness of one attempt. */
export interface Ambient {
  /** Whether a seed fixes it: then no time passes while an answer is waited for. */
  readonly fixed?: true;
  /** Nanoseconds since 1970-01-01T00:00:00Z. */
  wallClock(): bigint;
  /** Nanoseconds on a clock that never goes back. */
  monotonicClock(): bigint;
  /** Fills the array with random bytes. */
  random(bytes: Uint8Array): void;
  /** Puts the thread to sleep until then, in nanoseconds of the monotonic clock; ending the worker wakes it. */
  waitUntil(time: bigint): void;
}

/** What an attempt reaches outside of its thread, and what is kept for it meanwhile. */
export interface Outside {
  /** Its configuration: name and value. */
  readonly config: readonly (readonly [string, string])[];
  readonly calls: CallLine;
  /** What a request of it may have for a body, in bytes. */
  readonly httpBodyBytes: number;
  /** Counts bytes that the host keeps for the guest as the guest's memory; ends it where they are too many. */
  hold(bytes: number): void;
  /** Lets go of what was held. */
  release(bytes: number): void;
  /** Ends the guest for a limit that it broke. */
  breach(code: RuntimeErrorCode, message: string): never;
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
  /** What asks the host; absent where there is none, as while a component is built. */
  readonly outside?: Outside;
  /** The most bytes that the guest could hold; it gets no longer list. */
  readonly memoryBytes: number;
}
