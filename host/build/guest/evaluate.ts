import { host } from "millrace:guest/host";
import { errorLine, inspect } from "./inspect.ts";
import { runUntilSettled, Uncaught, watch } from "./loop.ts";
import { phase, reachOutside } from "./phase.ts";
import type { Outcome, StepPromise } from "./promise.ts";
import { setSourceLines } from "./stack.ts";

/** The exports of the step's module. */
export type StepModule = Readonly<Record<string, unknown>>;

/** How a step is written. */
export type StepKind = "function" | "handler" | "program";

/** What the builder asks for while the guest is built. */
export interface BuildRequest {
  readonly kind: StepKind;
  /** The bundle: an expression of a function that takes what it shares with the guest and gives the module's loader. */
  readonly code: string;
  /** Which lines of the step's files the bundle's lines come from, as JSON. */
  readonly lines: string;
  /** Load the module at each attempt, not now. */
  readonly deferred: boolean;
}

/** What the builder hears: the guest is as every attempt shall begin, or why it is not. */
export type BuildNews =
  | { readonly kind: "ready" }
  /** The module reads the outside while it loads: it must be loaded at each attempt. */
  | { readonly kind: "deferred"; readonly reason: string }
  | { readonly kind: "threw"; readonly message: string; readonly stack: string }
  | { readonly kind: "export"; readonly message: string };

type Load = () => Promise<StepModule>;

let load: Load | undefined;
let loaded: StepModule | undefined;

/**
 * Takes the step into the guest, whose memory then is the start of every attempt. Its module is loaded now, so that
 * attempts begin behind that, unless it reads the outside: that must be as it is at the attempt. `check` says what is
 * wrong with the module's exports.
 */
export function build(
  { code, lines, deferred, kind }: BuildRequest,
  shared: object,
  check: (module: StepModule) => string | undefined,
): BuildNews {
  setSourceLines(lines);
  // oxlint-disable-next-line no-eval -- the guest is made to hold this code
  load = ((0, eval)(code) as (shared: object) => Load)({ ...shared, host, watch, reachOutside });
  if (!deferred && kind !== "program") {
    const news = loadAtBuild(load, check);
    if (news.kind !== "ready") return news;
  }
  phase.building = false;
  return { kind: "ready" };
}

function loadAtBuild(load: Load, check: (module: StepModule) => string | undefined): BuildNews {
  const outcome = settle(load());
  if (phase.touched !== undefined) return { kind: "deferred", reason: phase.touched };
  if (outcome.state === "pending") return { kind: "deferred", reason: "a promise that does not settle" };
  if (outcome.state === "rejected") {
    const { value } = outcome;
    if (!(value instanceof Error)) return { kind: "threw", message: inspect(value), stack: "" };
    return { kind: "threw", message: errorLine(value), stack: value.stack ?? "" };
  }
  loaded = outcome.value as StepModule;
  const complaint = check(loaded);
  return complaint === undefined ? { kind: "ready" } : { kind: "export", message: complaint };
}

function settle(promise: Promise<unknown>): Outcome {
  try {
    return runUntilSettled(promise as unknown as StepPromise);
  } catch (error) {
    return { state: "rejected", value: error instanceof Uncaught ? error.reason : error };
  }
}

/** The step's module within an attempt; throws what it throws while it loads. */
export function stepModule(): StepModule {
  if (loaded !== undefined) return loaded;
  if (load === undefined) throw new Error("no step was built into this component");
  return valueOf(runUntilSettled(load() as unknown as StepPromise), "The step's module") as StepModule;
}

/** The value of a settled promise; throws its reason, or an error that says that it never settled. */
export function valueOf(outcome: Outcome, what: string): unknown {
  if (outcome.state === "fulfilled") return outcome.value;
  if (outcome.state === "rejected") throw outcome.value;
  throw new Error(`${what} awaits a promise that nothing will ever settle.`);
}
