import type { LogLine, StepFailure } from "../driver.ts";
import { failure } from "../failure.ts";
import { EngineError } from "./engine.ts";

/** What engines say where the image, or what the document makes of it, has no program that could be started. */
const noProgram =
  /executable file not found|no such file or directory|permission denied|not a directory|exec format error|unable to find (user|group)|is a directory|chdir/i;
const noMemory = /OOM-killed|memory limit too low/i;

/** Why a container did not start: the image's fault where it is known to be, and the engine's else. */
export function startFailure(error: EngineError): EngineError {
  const { status, message, cause } = error;
  if (status === undefined) return error;
  const options = { status, cause };
  if (noMemory.test(message)) {
    return new EngineError(failure("ERR_STEP_MEMORY", `The step could not even start: ${message}`), options);
  }
  if (!noProgram.test(message)) return error;
  return new EngineError(
    failure("ERR_IMAGE_PROGRAM", `The image's program can't be started: ${message}`),
    options,
  );
}

/** What the engine's runtime says in the container's place: by then the engine takes it for started. */
const notExecutable = /^(standard_init_linux\.go:\d+: )?exec .*exec format error$/;

/** Why nothing of the step ran, where all that there is in its log is that its program is no program here. */
export function foreignProgram(logs: readonly LogLine[]): StepFailure | undefined {
  const [only] = logs;
  if (only === undefined || logs.length > 1 || !notExecutable.test(only.message)) return undefined;
  const message = `The image's program is none for this engine's processor, nor a script with a #! line: ${only.message}.`;
  return failure("ERR_IMAGE_PROGRAM", message);
}
