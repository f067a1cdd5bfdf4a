import type { Attempt, AttemptResult, Driver, RuntimeName, StepFailure } from "../../runtime/driver.ts";
import type { StepInput } from "../../runtime/input.ts";
import type { Json } from "../../runtime/json.ts";

/** A step's program as a plain function; what it throws is the attempt's failure. */
export type Program = (input: StepInput, signal: AbortSignal | undefined) => Json | Promise<Json>;

/** Thrown by a program to fail in a certain way. */
export class Failure extends Error {
  readonly failure: StepFailure;

  constructor(failure: Partial<StepFailure>) {
    super(failure.message);
    this.failure = { code: "ERR_STEP_FAILED", message: "failed", retry: true, ...failure };
  }
}

/** The driver of runtime wasm, with functions by step id in place of components: no driver costs less. */
export function inProcessDrivers(
  programs: Readonly<Record<string, Program>>,
): ReadonlyMap<RuntimeName, Driver> {
  const driver: Driver = {
    name: "wasm",
    prepare: async () => undefined,
    execute: (attempt) => execute(programs, attempt),
    close: async () => undefined,
  };
  return new Map([["wasm", driver]]);
}

async function execute(
  programs: Readonly<Record<string, Program>>,
  attempt: Attempt,
): Promise<AttemptResult> {
  const { input, signal } = attempt;
  const program = programs[input.ctx.stepId];
  if (program === undefined) throw new Error(`no program for step ${input.ctx.stepId}`);
  try {
    return { ok: true, output: await program(input, signal), logs: [] };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { ok: false, failure: error.failure, logs: [] };
  }
}
