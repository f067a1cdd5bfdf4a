import type { Hermetic } from "../../hermetic.ts";
import type { Ambient } from "./world.ts";

/** What each look at a clock moves both on by, in nanoseconds: whoever waits for a time by looking gets there. */
const lookNs = 1_000n;

const millisecondNs = 1_000_000n;

/** Clocks and randomness that nothing outside of the attempt moves. `onWait` hears how long it has taken, in nanoseconds. */
export function hermeticAmbient({ startMs, words }: Hermetic, onWait: (elapsed: bigint) => void): Ambient {
  const start = BigInt(Math.trunc(startMs)) * millisecondNs;
  let elapsed = 0n;
  const next = generator(words);
  return {
    fixed: true,
    wallClock() {
      elapsed += lookNs;
      const now = start + elapsed;
      return now - (now % millisecondNs);
    },
    monotonicClock: () => (elapsed += lookNs),
    random(bytes) {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      let at = 0;
      for (; at + 4 <= bytes.length; at += 4) view.setUint32(at, next(), true);
      if (at === bytes.length) return;
      for (let rest = next(); at < bytes.length; at++, rest >>>= 8) view.setUint8(at, rest & 0xff);
    },
    // Nobody waits: the time has passed.
    waitUntil(time) {
      if (time > elapsed) elapsed = time;
      onWait(elapsed);
    },
  };
}

/** xoshiro128** by David Blackman and Sebastiano Vigna: 32 bits at a time. Not for secrets, which a seed can't make. */
function generator(words: Hermetic["words"]): () => number {
  let [a, b, c, d] = words;
  return () => {
    const result = Math.imul(rotated(Math.imul(b, 5), 7), 9);
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = rotated(d, 11);
    return result >>> 0;
  };
}

function rotated(word: number, by: number): number {
  return (word << by) | (word >>> (32 - by));
}
