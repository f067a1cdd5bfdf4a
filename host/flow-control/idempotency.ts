import type { Decision } from "./documents.ts";

/** The run that has a key, and since when. */
export type IdempotencyState = { readonly run: string; readonly at: number };

/** Lets one run have a key for a period; resolves to the one that has it. */
export function onlyRun(
  state: IdempotencyState | undefined,
  { run, now, periodMs }: { readonly run: string; readonly now: number; readonly periodMs: number },
): Decision<IdempotencyState, string> {
  if (state !== undefined && state.at > now - periodMs) return { result: state.run };
  return { result: run, value: { run, at: now }, keepMs: periodMs };
}

/** Gives back the key of a run that did not begin after all. */
export function withoutRun(
  state: IdempotencyState | undefined,
  run: string,
): Decision<IdempotencyState, undefined> {
  if (state?.run !== run) return { result: undefined };
  return { result: undefined, value: { run: "", at: 0 }, keepMs: 1 };
}
