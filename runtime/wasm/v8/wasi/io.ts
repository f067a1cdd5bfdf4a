import type { InputSource, OutputSink, WriteFault } from "../stdio.ts";
import { err, hostFunction, ok } from "./host-function.ts";
import type { HostFunction, HostInterfaces } from "./host-function.ts";
import { Trap } from "../component/trap.ts";
import type { CallLine } from "../call-line.ts";
import type { Ambient, StepWorld } from "./world.ts";

/** What stands for a pollable: when it is ready, in nanoseconds of the monotonic clock; or what it waits for. */
export type Pollable = { readonly readyAt: bigint } | { awaits(): Awaiting };

/** What something waits for: an answer to a call, the guest itself, or nothing any more. */
export type Awaiting = number | "guest" | "nothing";

/** `error` of wasi:io/error: why a stream failed, which those of HTTP bodies alone do. */
export interface IoError {
  /** A case of wasi:http's `error-code`. */
  readonly code: readonly [number, unknown];
  readonly text: string;
}

/** Everything but time and answers is ready at once. */
export const readyNow: Pollable = { readyAt: 0n };

/** There is nothing more to read, or nothing more is taken. */
const closed = err([1, undefined]);

const streamError = "variant{last-operation-failed(own<error>), closed}";

/** How much a guest may write at once after asking; what is too much in all is for the sink to say. */
const permitted = 65_536n;

/** wasi:io: streams over bytes that are all there or taken at once, and waiting for time to pass. */
export const ioInterfaces: HostInterfaces = {
  "wasi:io/poll": {
    "[method]pollable.ready": hostFunction<[Pollable]>("(borrow<pollable>) -> bool", (world, [pollable]) =>
      isReady(world, pollable),
    ),
    "[method]pollable.block": hostFunction<[Pollable]>("(borrow<pollable>)", (world, [pollable]) => {
      waitForOne(world, [pollable]);
    }),
    poll: hostFunction<[readonly Pollable[]]>("(list<borrow<pollable>>) -> list<u32>", (world, [pollables]) =>
      waitForOne(world, pollables),
    ),
  },
  "wasi:io/error": {
    "[method]error.to-debug-string": hostFunction<[IoError]>(
      "(borrow<error>) -> string",
      (_, [{ text }]) => text,
    ),
  },
  "wasi:io/streams": {
    "[method]input-stream.read": reading(),
    "[method]input-stream.blocking-read": reading(),
    "[method]input-stream.skip": skipping(),
    "[method]input-stream.blocking-skip": skipping(),
    "[method]input-stream.subscribe": hostFunction("(borrow<input-stream>) -> own<pollable>", () => readyNow),
    "[method]output-stream.check-write": hostFunction(
      `(borrow<output-stream>) -> result<u64, ${streamError}>`,
      () => ok(permitted),
    ),
    "[method]output-stream.write": writing(),
    "[method]output-stream.blocking-write-and-flush": writing(),
    "[method]output-stream.flush": flushing(),
    "[method]output-stream.blocking-flush": flushing(),
    "[method]output-stream.subscribe": hostFunction(
      "(borrow<output-stream>) -> own<pollable>",
      () => readyNow,
    ),
    "[method]output-stream.write-zeroes": writingZeroes(),
    "[method]output-stream.blocking-write-zeroes-and-flush": writingZeroes(),
    "[method]output-stream.splice": splicing(),
    "[method]output-stream.blocking-splice": splicing(),
  },
};

function isReady({ ambient }: StepWorld, pollable: Pollable): boolean {
  if ("awaits" in pollable) return pollable.awaits() === "nothing";
  return ambient.monotonicClock() >= pollable.readyAt;
}

/** The indices of those that are ready, once there is one. */
function waitForOne(world: StepWorld, pollables: readonly Pollable[]): readonly number[] {
  if (pollables.length === 0) throw new Trap("poll was called with an empty list");
  const { ambient } = world;
  const awaited = pollables.flatMap((pollable) => ("awaits" in pollable ? [pollable.awaits()] : []));
  const times = pollables.flatMap((pollable) => ("awaits" in pollable ? [] : [pollable.readyAt]));
  const first = times.reduce((least, time) => (time < least ? time : least), 2n ** 64n);
  const calls = awaited.filter((call) => typeof call === "number");
  if (calls.length > 0 && !awaited.includes("nothing") && world.outside !== undefined) {
    waitForCall(world.outside.calls, ambient, calls, times.length === 0 ? undefined : first);
  } else if (!awaited.includes("nothing") && first > ambient.monotonicClock()) ambient.waitUntil(first);
  const now = ambient.monotonicClock();
  return [...pollables.keys()].filter((index) => {
    const pollable = pollables[index] ?? readyNow;
    return "awaits" in pollable ? isReady(world, pollable) : pollable.readyAt <= now;
  });
}

/** Until one of the calls is answered, or that time has come. A clock that is fixed stands meanwhile: the answer is first. */
export function waitForCall(line: CallLine, ambient: Ambient, calls: readonly number[], time?: bigint): void {
  const until = ambient.fixed === true && (time ?? 0n) > ambient.monotonicClock() ? undefined : time;
  for (;;) {
    if (calls.some((call) => line.isAnswered(call))) return;
    const left = until === undefined ? undefined : until - ambient.monotonicClock();
    if (left !== undefined && left <= 0n) return;
    line.sleep(calls, left === undefined ? undefined : Number(left) / 1e6 + 0.05);
  }
}

function atMost(length: bigint): number {
  return Number(length < permitted ? length : permitted);
}

function reading(): HostFunction {
  return hostFunction<[InputSource, bigint]>(
    `(borrow<input-stream>, u64) -> result<list<u8>, ${streamError}>`,
    (_, [source, length]) => {
      const bytes = source.read(atMost(length));
      return bytes === undefined ? closed : ok(bytes);
    },
  );
}

function skipping(): HostFunction {
  return hostFunction<[InputSource, bigint]>(
    `(borrow<input-stream>, u64) -> result<u64, ${streamError}>`,
    (_, [source, length]) => {
      const bytes = source.read(atMost(length));
      return bytes === undefined ? closed : ok(BigInt(bytes.length));
    },
  );
}

/** What a guest hears of a write. */
function written(fault: WriteFault | undefined | void): readonly [0 | 1, unknown] {
  if (fault === undefined) return ok();
  return fault === "closed" ? closed : err([0, fault.failed]);
}

function writing(): HostFunction {
  return hostFunction<[OutputSink, Uint8Array]>(
    `(borrow<output-stream>, list<u8>) -> result<_, ${streamError}>`,
    (_, [sink, bytes]) => written(sink.write(bytes)),
  );
}

function flushing(): HostFunction {
  return hostFunction(`(borrow<output-stream>) -> result<_, ${streamError}>`, () => ok());
}

function writingZeroes(): HostFunction {
  return hostFunction<[OutputSink, bigint]>(
    `(borrow<output-stream>, u64) -> result<_, ${streamError}>`,
    (_, [sink, length]) => {
      const zeroes = new Uint8Array(atMost(length));
      for (let left = length; left > 0n; left -= permitted) {
        const fault = sink.write(zeroes.subarray(0, atMost(left)));
        if (fault !== undefined) return written(fault);
      }
      return ok();
    },
  );
}

function splicing(): HostFunction {
  return hostFunction<[OutputSink, InputSource, bigint]>(
    `(borrow<output-stream>, borrow<input-stream>, u64) -> result<u64, ${streamError}>`,
    (_, [sink, source, length]) => {
      const bytes = source.read(atMost(length));
      if (bytes === undefined) return closed;
      const fault = sink.write(bytes);
      return fault === undefined ? ok(BigInt(bytes.length)) : written(fault);
    },
  );
}
