import { createHash } from "node:crypto";
import type { StepInput } from "../input.ts";

/** Where the clocks and the randomness of an attempt begin that a seed fixes. */
export interface Hermetic {
  /** The wall clock's, in milliseconds since 1970-01-01T00:00:00Z: the time of the event. */
  readonly startMs: number;
  /** The state of the generator: four words of 32 bits. */
  readonly words: readonly [number, number, number, number];
}

/** What a seed comes to for one attempt: another run, step, item or attempt has other random numbers. */
export function hermetic(seed: string, { event, steps, ctx, index }: StepInput): Hermetic {
  // A typed step finds its place in the list among the outputs; without one, seeds mean what they always did.
  const item = [index ?? steps["$index"]].filter((place) => place !== undefined);
  const text = JSON.stringify([seed, ctx.runId, ctx.stepId, ctx.attempt, ...item]);
  const digest = createHash("sha256").update(text).digest();
  const word = (index: number): number => digest.readUInt32LE(4 * index);
  return { startMs: event.ts, words: [word(0), word(1), word(2), word(3)] };
}
