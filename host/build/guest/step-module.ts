import { errorLine, inspect } from "./inspect.ts";
import { runUntilSettled, Uncaught } from "./loop.ts";
import { phase } from "./phase.ts";
import type { Outcome, StepPromise } from "./promise.ts";

/** The exports of the step's module. */
export type StepModule = Readonly<Record<string, unknown>>;

/** Tells the builder something by the only way there is: as the message of the error that ends the evaluation. */
function tellBuilder(news: Readonly<Record<string, unknown>>): never {
  throw new Error(`millrace-build:${JSON.stringify(news)}`);
}

function load(): Promise<StepModule> {
  return import("millrace:build/step");
}

/**
 * Evaluates the step's module while it is built, so that attempts begin behind that. Ends the build when the module
 * throws, or reads something of the outside: the builder then builds it to be evaluated at each attempt.
 */
export function loadAtBuild(check: (module: StepModule) => string | undefined): StepModule | undefined {
  if (MILLRACE_DEFERRED) return undefined;
  const outcome = settle(load());
  if (phase.touched !== undefined) tellBuilder({ kind: "deferred", reason: phase.touched });
  if (outcome.state === "pending")
    tellBuilder({ kind: "deferred", reason: "a promise that does not settle" });
  if (outcome.state === "rejected") {
    const { value } = outcome;
    const known = value instanceof Error;
    tellBuilder({
      kind: "threw",
      message: known ? errorLine(value) : inspect(value),
      stack: known ? value.stack : "",
    });
  }
  const module = outcome.value as StepModule;
  const complaint = check(module);
  if (complaint !== undefined) tellBuilder({ kind: "export", message: complaint });
  return module;
}

/** Evaluates the step's module within an attempt; throws what it throws. */
export function loadNow(): StepModule {
  const outcome = runUntilSettled(load() as unknown as StepPromise);
  return valueOf(outcome, "The step's module") as StepModule;
}

function settle(promise: Promise<unknown>): Outcome {
  try {
    return runUntilSettled(promise as unknown as StepPromise);
  } catch (error) {
    return { state: "rejected", value: error instanceof Uncaught ? error.reason : error };
  }
}

/** The value of a settled promise; throws its reason, or an error that says that it never settled. */
export function valueOf(outcome: Outcome, what: string): unknown {
  if (outcome.state === "fulfilled") return outcome.value;
  if (outcome.state === "rejected") throw outcome.value;
  throw new Error(`${what} awaits a promise that nothing will ever settle.`);
}
