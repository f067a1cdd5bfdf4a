import type { Decision } from "./documents.ts";

/** What is remembered of a throttle: the generic cell rate algorithm (ITU-T I.371) over times of admission. */
export type ThrottleState = {
  /** When the next run would begin if none could begin at once with others. */
  readonly next: number;
  /** The last runs, and when they may begin: [run, time]. */
  readonly runs: [string, number][];
};

interface Throttled {
  readonly run: string;
  readonly now: number;
  readonly limit: number;
  readonly periodMs: number;
  readonly burst: number;
}

/** Runs that are remembered, at most. */
const keptRuns = 500;

/** Gives a run the time at which it may begin: each its own, in the order in which they come. */
export function throttled(
  state: ThrottleState | undefined,
  { run, now, limit, periodMs, burst }: Throttled,
): Decision<ThrottleState, number> {
  const known = state?.runs.find(([id]) => id === run);
  if (known !== undefined) return { result: known[1] };
  const apart = periodMs / limit;
  const next = Math.max(state?.next ?? now, now);
  const at = Math.max(now, Math.ceil(next - apart * (burst - 1)));
  const runs: [string, number][] = [...(state?.runs ?? []), [run, at]];
  return {
    result: at,
    value: { next: next + apart, runs: runs.slice(-keptRuns) },
    keepMs: Math.ceil(next + apart - now) + periodMs,
  };
}
