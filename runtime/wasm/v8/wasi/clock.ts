import type { Ambient } from "./world.ts";

/** The time on a preview 1 clock, in nanoseconds: 0 is the wall clock, 1 to 3 never go back; undefined: no such clock. */
export function nanoseconds(ambient: Ambient, clock: number): bigint | undefined {
  if (clock === 0) return ambient.wallClock();
  return clock >= 1 && clock <= 3 ? ambient.monotonicClock() : undefined;
}
