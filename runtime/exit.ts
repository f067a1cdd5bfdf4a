import type { AttemptResult, LogLine, StepFailure } from "./driver.ts";
import { failure, fatalStatus } from "./failure.ts";
import { programOutput } from "./output.ts";

/** How a program came to its end. */
export interface Exit {
  readonly status: number;
  readonly stdout: string;
  /** How it had been refused memory: what it had, and asked for, and the limit. */
  readonly starved?: string;
}

/** Reads how a program ended as the step contract has it: a success or a failure. */
export function exitResult(exit: Exit, logs: readonly LogLine[]): AttemptResult {
  if (exit.status === 0) return { ...programOutput(exit.stdout), logs };
  return { ok: false, failure: exitFailure(exit, logs), logs };
}

function exitFailure({ status, starved }: Exit, logs: readonly LogLine[]): StepFailure {
  const said = logs.findLast((line) => line.message.trim() !== "")?.message.trim();
  const message = `The step exited with code ${status}${said === undefined ? "." : `: ${said}`}`;
  if (status === fatalStatus) return failure("ERR_STEP_FATAL", message);
  if (starved !== undefined) return failure("ERR_STEP_MEMORY", refusedMemory(message, starved));
  return failure("ERR_STEP_FAILED", message);
}

/** What a step said that failed, and that it had been refused memory before. */
export function refusedMemory(message: string, starved: string): string {
  return `${message.replace(/(?<![.!?:…])$/, ".")} It had been refused more memory: ${starved}.`;
}
