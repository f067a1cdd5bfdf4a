import type { Decision } from "./documents.ts";

/** What is remembered of the runs that began within a period. */
export type RateLimitState = {
  /** When runs began, oldest first, and how many did: [time, runs]. */
  readonly began: [number, number][];
  /** The last of them, oldest first: [run, time]. */
  readonly runs: [string, number][];
};

interface RateLimited {
  readonly run: string;
  readonly now: number;
  readonly limit: number;
  readonly periodMs: number;
}

/** Entries of either list, at most. */
export const keptEntries = 500;

/**
 * Admits so many runs in any period. Where the limit is larger than what is kept, times are rounded up, to a 500th of the
 * period: then a run may be refused for so much longer, and none is admitted too early.
 */
export function rateLimited(
  state: RateLimitState | undefined,
  { run, now, limit, periodMs }: RateLimited,
): Decision<
  RateLimitState,
  { readonly admitted: true } | { readonly admitted: false; readonly first?: string }
> {
  const isNow = ([, at]: readonly [unknown, number]): boolean => at > now - periodMs;
  const runs = (state?.runs ?? []).filter(isNow);
  // An event that comes again is not refused because of its own first coming.
  if (runs.some(([id]) => id === run)) return { result: { admitted: true } };
  const began = (state?.began ?? []).filter(([at]) => at > now - periodMs);
  const count = began.reduce((sum, [, times]) => sum + times, 0);
  if (count >= limit) {
    const first = runs[0]?.[0];
    return { result: { admitted: false, ...(first === undefined ? {} : { first }) } };
  }
  const grain = limit > keptEntries ? Math.ceil(periodMs / keptEntries) : 1;
  const at = Math.ceil(now / grain) * grain;
  const last = began.at(-1);
  const next: [number, number][] =
    last !== undefined && last[0] >= at
      ? [...began.slice(0, -1), [last[0], last[1] + 1]]
      : [...began, [at, 1]];
  return {
    result: { admitted: true },
    value: { began: next, runs: [...runs, [run, now] satisfies [string, number]].slice(-keptEntries) },
    keepMs: periodMs + grain,
  };
}

/** Gives back what a run took that did not begin after all. */
export function notBegun(
  state: RateLimitState | undefined,
  { run, periodMs }: Pick<RateLimited, "run" | "periodMs">,
): Decision<RateLimitState, undefined> {
  const own = state?.runs.find(([id]) => id === run);
  if (state === undefined || own === undefined) return { result: undefined };
  const place = state.began.findIndex(([at]) => at >= own[1]);
  const began = state.began.flatMap(([at, times], index): [number, number][] =>
    index === place ? (times > 1 ? [[at, times - 1]] : []) : [[at, times]],
  );
  const runs = state.runs.filter(([id]) => id !== run);
  return { result: undefined, value: { began, runs }, keepMs: 2 * periodMs };
}
