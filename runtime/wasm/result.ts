import type { AttemptResult, LogLine, StepFailure } from "../driver.ts";
import type { EngineResult, Ending } from "./engine.ts";
import { failure, fatalStatus } from "../failure.ts";
import { parseOutput, programOutput } from "../output.ts";

/** Reads how an attempt ended as a success or a failure. */
export function attemptResult({ ending, logs }: EngineResult): AttemptResult {
  switch (ending.kind) {
    case "returned":
      return typedOutput(ending.output, logs);
    case "exited":
      if (ending.status === 0) return { ...programOutput(ending.stdout), logs };
      return { ok: false, failure: exitFailure(ending, logs), logs };
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

function exitFailure(ending: Ending & { kind: "exited" }, logs: readonly LogLine[]): StepFailure {
  const said = logs.findLast((line) => line.message.trim() !== "")?.message.trim();
  const message = `The step exited with code ${ending.status}${said === undefined ? "." : `: ${said}`}`;
  if (ending.status === fatalStatus) return failure("ERR_STEP_FATAL", message);
  if (ending.starved) return failure("ERR_STEP_MEMORY", `${message} It had been refused more memory.`);
  return failure("ERR_STEP_FAILED", message);
}

function retryFailure(ending: Ending & { kind: "retry" }): StepFailure {
  const base = failure("ERR_STEP_FAILED", ending.message);
  return ending.afterMs === undefined ? base : { ...base, retryAfterMs: ending.afterMs };
}
