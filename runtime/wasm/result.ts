import type { AttemptResult, LogLine, StepFailure } from "../driver.ts";
import type { EngineResult, Ending } from "./engine.ts";
import { exitResult, refusedMemory } from "../exit.ts";
import { failure } from "../failure.ts";
import { parseOutput } from "../output.ts";

/** Reads how an attempt ended as a success or a failure. */
export function attemptResult({ ending, logs, fuel }: EngineResult): AttemptResult {
  const result = endingResult(ending, logs);
  return fuel === undefined ? result : { ...result, fuel };
}

function endingResult(ending: Ending, logs: readonly LogLine[]): AttemptResult {
  switch (ending.kind) {
    case "returned":
      return typedOutput(ending.output, logs);
    case "exited":
      return exitResult(ending, logs);
    case "retry":
      return { ok: false, failure: retryFailure(ending), logs };
    case "fatal":
      return { ok: false, failure: failure("ERR_STEP_FATAL", ending.message), logs };
    default:
      return { ok: false, failure: ending.failure, logs };
  }
}

function typedOutput(text: string, logs: readonly LogLine[]): AttemptResult {
  const parsed = parseOutput(text);
  if (parsed.ok) return { ok: true, output: parsed.value, logs };
  const message =
    parsed.reason === "refused"
      ? `The step's output can't be kept: ${parsed.message}.`
      : `The step returned text that is not JSON: ${parsed.message}`;
  return { ok: false, failure: failure("ERR_STEP_OUTPUT_INVALID", message), logs };
}

function retryFailure(ending: Ending & { kind: "retry" }): StepFailure {
  const { message, starved } = ending;
  const base =
    starved === undefined
      ? failure("ERR_STEP_FAILED", message)
      : failure("ERR_STEP_MEMORY", refusedMemory(message, starved));
  return ending.afterMs === undefined ? base : { ...base, retryAfterMs: ending.afterMs };
}
