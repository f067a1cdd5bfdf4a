import type { Attempt, StepProgram } from "../../../runtime/driver.ts";
import type { Json } from "../../../runtime/json.ts";
import { defaultLimits, type Limits } from "../../../runtime/limits.ts";

/** An attempt of a Lambda step; the event's data is what its function is told to do. */
export function attempt(
  runtime: Readonly<Record<string, Json>>,
  data: Json = {},
  {
    limits,
    signal,
    steps = {},
  }: {
    readonly limits?: Partial<Limits>;
    readonly signal?: AbortSignal;
    readonly steps?: Readonly<Record<string, Json>>;
  } = {},
): Attempt {
  return {
    program: lambdaProgram(runtime),
    input: {
      event: { id: "event-1", name: "user/signed.up", data, ts: 1_700_000_000_000 },
      steps,
      ctx: {
        runId: "run-1",
        functionId: "welcome",
        functionVersion: "0123456789ab",
        stepId: "charge",
        attempt: 1,
        deadline: 1_700_000_030_000,
        idempotencyKey: "run-1:charge",
      },
    },
    limits: { ...defaultLimits, ...limits },
    ...(signal === undefined ? {} : { signal }),
  };
}

/** The program of a Lambda step. */
export function lambdaProgram(runtime: Readonly<Record<string, Json>>): StepProgram {
  return { runtime: { type: "lambda", function: "function", ...runtime } };
}
