import { Trap } from "../component/trap.ts";
import { hostFunction } from "./host-function.ts";
import type { HostFunction, HostInterfaces } from "./host-function.ts";
import type { Pollable } from "./io.ts";
import type { Ambient, StepWorld } from "./world.ts";

const datetime = "record{seconds: u64, nanoseconds: u32}";
const nanosecondsPerSecond = 1_000_000_000n;

/** wasi:clocks and wasi:random: what the host's ambient gives. */
export const ambientInterfaces: HostInterfaces = {
  "wasi:clocks/monotonic-clock": {
    now: hostFunction("() -> u64", ({ ambient }) => ambient.monotonicClock()),
    resolution: hostFunction("() -> u64", () => 1_000n),
    "subscribe-instant": hostFunction<[bigint]>("(u64) -> own<pollable>", (_, [when]): Pollable => ({
      readyAt: when,
    })),
    "subscribe-duration": hostFunction<[bigint]>(
      "(u64) -> own<pollable>",
      ({ ambient }, [duration]): Pollable => ({ readyAt: ambient.monotonicClock() + duration }),
    ),
  },
  "wasi:clocks/wall-clock": {
    now: hostFunction(`() -> ${datetime}`, ({ ambient }) => {
      const now = ambient.wallClock();
      return [now / nanosecondsPerSecond, Number(now % nanosecondsPerSecond)];
    }),
    resolution: hostFunction(`() -> ${datetime}`, () => [0n, 1_000_000]),
  },
  "wasi:random/random": { "get-random-bytes": randomBytes(), "get-random-u64": randomU64() },
  "wasi:random/insecure": {
    "get-insecure-random-bytes": randomBytes(),
    "get-insecure-random-u64": randomU64(),
  },
  "wasi:random/insecure-seed": {
    "insecure-seed": hostFunction("() -> tuple<u64, u64>", ({ ambient }) => [u64(ambient), u64(ambient)]),
  },
};

function randomBytes(): HostFunction {
  return hostFunction<[bigint]>("(u64) -> list<u8>", ({ ambient, memoryBytes }: StepWorld, [length]) => {
    if (length > BigInt(memoryBytes)) throw new Trap(`${length} random bytes were asked for`);
    const bytes = new Uint8Array(Number(length));
    ambient.random(bytes);
    return bytes;
  });
}

function randomU64(): HostFunction {
  return hostFunction("() -> u64", ({ ambient }) => u64(ambient));
}

function u64(ambient: Ambient): bigint {
  const words = new BigUint64Array(1);
  ambient.random(new Uint8Array(words.buffer));
  return words[0] ?? 0n;
}
