import type { Decision } from "./documents.ts";

/** The run that has the place of which there is one. */
export type SingletonState = {
  readonly run: string;
  /** Its event's place in the order of events. */
  readonly seq: number;
  readonly at: number;
  /** The run that it took the place of, which is to be cancelled. */
  readonly instead?: string;
};

interface Applying {
  readonly run: string;
  readonly seq: number;
  readonly now: number;
  readonly mode: "skip" | "cancel";
  /** A run that is over, and so has the place no more. */
  readonly over: string | undefined;
}

/** What becomes of a run that asks for the place. "held": by a run of which must be known whether it is over. */
export type Applied =
  | { readonly kind: "has"; readonly instead?: string }
  | { readonly kind: "held" | "refused"; readonly by: SingletonState };

/** A place that nobody asks for any more goes after this time, in milliseconds; no run may take longer. */
const keepMs = 366 * 24 * 3_600_000;

/** Gives the place to a run if nobody has it; or with mode cancel, if its event is the newer one. */
export function applied(
  state: SingletonState | undefined,
  { run, seq, now, mode, over }: Applying,
): Decision<SingletonState, Applied> {
  if (state?.run === run) {
    return { result: { kind: "has", ...(state.instead === undefined ? {} : { instead: state.instead }) } };
  }
  const mine = { run, seq, at: now };
  if (state === undefined || state.run === over) return { result: { kind: "has" }, value: mine, keepMs };
  if (mode === "skip") return { result: { kind: "held", by: state } };
  if (state.seq > seq) return { result: { kind: "refused", by: state } };
  const instead = state.run;
  return { result: { kind: "has", instead }, value: { ...mine, instead }, keepMs };
}
