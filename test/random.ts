/** Whole numbers below a bound, the same ones for the same seed. */
export type Below = (bound: number) => number;

/** A sequence of numbers for property tests, by a linear congruential generator. */
export function seeded(seed: number): Below {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
}
