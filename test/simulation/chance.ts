/** Decisions that depend on a seed alone. */
export interface Chance {
  /** A number in [0, 1). */
  random(): number;
  /** A whole number in [0, bound). */
  below(bound: number): number;
  /** A whole number in [from, to]. */
  between(from: number, to: number): number;
  /** True this often. */
  happens(probability: number): boolean;
  pick<T>(of: readonly T[]): T;
}

/** A sequence of decisions, by Marsaglia's xorshift over a scrambled seed: neighbouring seeds have nothing in common. */
export function createChance(seed: number): Chance {
  let state = scramble(seed) || 1;
  const random = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
  const below = (bound: number): number => Math.floor(random() * bound);
  return {
    random,
    below,
    between: (from, to) => from + below(to - from + 1),
    happens: (probability) => probability > 0 && random() < probability,
    pick<T>(of: readonly T[]): T {
      if (of.length === 0) throw new RangeError("nothing to pick from");
      return of[below(of.length)]!;
    },
  };
}

/** Every bit of the seed moves about half of the bits of the result (the finalizer of MurmurHash3). */
function scramble(seed: number): number {
  let bits = seed >>> 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}
