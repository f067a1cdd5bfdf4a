import type { LogLine, StepFailure } from "../driver.ts";
import { failure, fatalStatus } from "../failure.ts";
import { functionTitle, type LambdaOptions } from "./options.ts";

/** An error as a function's runtime, or Lambda for it, tells of it. */
export interface FunctionError {
  readonly errorType: string;
  readonly errorMessage: string;
  readonly trace: readonly string[];
}

/** The types by which Lambda says that the code could not be loaded. */
const handlerErrors = new Set([
  "Runtime.ImportModuleError",
  "Runtime.HandlerNotFound",
  "Runtime.UserCodeSyntaxError",
  "Runtime.MalformedHandlerName",
  "Runtime.InvalidEntrypoint",
  "Runtime.InvalidWorkingDir",
  "Runtime.InvalidTaskConfig",
]);

const timeouts = new Set(["Sandbox.Timedout", "Sandbox.Timeout"]);

const timedOut = /Task timed out after [\d.]+ seconds/;

/** Reads the payload of a failed invocation; what is not as it should be is taken as text. */
export function readFunctionError(payload: string): FunctionError {
  const value = parse(payload);
  const object = typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  const { errorType, errorMessage, trace, stackTrace } = object;
  const message = typeof errorMessage === "string" ? errorMessage : payload;
  const lines = [trace, stackTrace].find((list) => Array.isArray(list)) ?? [];
  return {
    // Lambda's own timeout comes without a type from older platforms, and from the emulator.
    errorType:
      typeof errorType === "string" ? errorType : timedOut.test(message) ? "Sandbox.Timedout" : "Unknown",
    errorMessage: message,
    trace: (lines as readonly unknown[]).map((line) => String(line).trimEnd()),
  };
}

/** The failure of an attempt whose function failed. */
export function functionFailure(error: FunctionError, options: LambdaOptions): StepFailure {
  const { errorType, errorMessage } = error;
  const title = functionTitle(options);
  const said = errorMessage === "" ? errorType : `${errorType}: ${errorMessage}`;
  if (options.fatal.has(errorType)) return failure("ERR_STEP_FATAL", said);
  if (timeouts.has(errorType)) {
    const message = `The Lambda function ${title} ran into its own timeout: ${errorMessage}. Raise the function's \`Timeout\`.`;
    return failure("ERR_STEP_TIMEOUT", message);
  }
  if (errorType === "Runtime.OutOfMemory" || /signal: killed|signal: 9\b/.test(errorMessage)) {
    const message = `The Lambda function ${title} was killed, most likely for its memory: ${errorMessage}. Raise the function's \`MemorySize\`.`;
    return failure("ERR_STEP_MEMORY", message);
  }
  if (errorType === "Function.ResponseSizeTooLarge") {
    const message = `The answer of the Lambda function ${title} is larger than Lambda passes on: ${errorMessage}`;
    return failure("ERR_STEP_OUTPUT_TOO_LARGE", message);
  }
  if (handlerErrors.has(errorType)) {
    return failure("ERR_LAMBDA_HANDLER", `The Lambda function ${title} can't be loaded: ${said}`);
  }
  const status = /exit status (\d+)/.exec(errorMessage)?.[1];
  if (errorType === "Runtime.ExitError" && Number(status) === fatalStatus) {
    return failure("ERR_STEP_FATAL", said);
  }
  return failure("ERR_STEP_FAILED", said);
}

/** The stack of an error, for the log of an attempt that has none. */
export function traceLines({ trace }: FunctionError): readonly LogLine[] {
  return trace.map((message) => ({ level: "error", message }));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
