import { dockerErrors } from "./docker/errors.ts";
import type { RuntimeErrorRow } from "./error-row.ts";
import { httpErrors } from "./http/errors.ts";
import { lambdaErrors } from "./lambda/errors.ts";

/** Every way in which the execution of one step can fail, by its stable code. */
export const runtimeErrors = {
  ERR_STEP_FAILED: {
    retry: true,
    summary:
      "The step itself reported a failure that may pass: a non-zero exit, a rejected promise, `retry`.",
    next: "Read the attempt's log. It is tried again by the function's retry policy.",
  },
  ERR_STEP_FATAL: {
    retry: false,
    summary: "The step itself reported a failure for good: exit code 65, or `fatal`.",
    next: "Read the attempt's log; mend the step or the event's data.",
  },
  ERR_STEP_TRAP: {
    retry: true,
    summary: "The component trapped: unreachable code, an access out of bounds, a division by zero.",
    next: "Read the attempt's log; build the step with debug information to see where.",
  },
  ERR_STEP_STACK: {
    retry: true,
    summary: "The step's recursion went deeper than the engine's stack.",
    next: "Bound the recursion of the step.",
  },
  ERR_STEP_TIMEOUT: {
    retry: true,
    summary: "The attempt took longer than the step's `timeout`, or than its Lambda function's own.",
    next: "Raise the step's `timeout`, or the Lambda function's own where the message names that, or find what the step waits for.",
  },
  ERR_STEP_CPU: {
    retry: true,
    summary: "The attempt computed longer than `limits.cpu`, not counting what it waited.",
    next: "Raise `limits.cpu` in the step's document, or have the step compute less.",
  },
  ERR_STEP_FUEL: {
    retry: true,
    summary: "The attempt used up the fuel that the host gives each attempt, with `--fuel`.",
    next: "Have the step compute less, or have the operator give more.",
  },
  ERR_STEP_MEMORY: {
    retry: true,
    summary: "The attempt wanted more memory than `limits.memory`, or than its Lambda function has.",
    next: "Raise `limits.memory`, or the Lambda function's `MemorySize` where the message names that, or have the step hold less at once.",
  },
  ERR_STEP_OUTPUT_TOO_LARGE: {
    retry: false,
    summary: "The step put out more than `limits.output`, or than its runtime can pass on.",
    next: "Raise `limits.output`, or put the data in a store and put out its address.",
  },
  ERR_STEP_LOG_TOO_LARGE: {
    retry: false,
    summary: "The attempt logged more than `limits.logs`.",
    next: "Raise `limits.logs`, or log less.",
  },
  ERR_STEP_TMP: {
    retry: false,
    summary: "The attempt put more into /tmp than `limits.tmp`, or more than 10,000 files and folders.",
    next: "Raise `limits.tmp` in the step's document, or have the step remove what it is done with.",
  },
  ERR_STEP_EMIT: {
    retry: false,
    summary:
      "What the step emits can't be published: no event, one that does not fit its schema, one that its capability `emit` does not name, or more than 100.",
    next: "Mend what the message names, in the step or in the capability.",
  },
  ERR_STEP_EMIT_DEPTH: {
    retry: false,
    summary: "The step emits an event, and its run is the 32nd of runs that were started by each other.",
    next: "Look whether functions start each other in a circle, and break it.",
  },
  ERR_STEP_INVOKED_FAILED: {
    retry: true,
    summary: "The run that the step invoked has failed.",
    next: "Look at that run, which the message names. It is invoked again by the step's own `retry` alone.",
  },
  ERR_STEP_INVOKED_CANCELLED: {
    retry: false,
    summary: "The run that the step invoked was cancelled, or was not admitted.",
    next: "The reason is in the message, and in that run.",
  },
  ERR_STEP_INVOKE_TIMEOUT: {
    retry: true,
    summary: "The run that the step invoked took longer than `invoke.timeout`, and was cancelled.",
    next: "Raise the timeout, or look what that run waited for.",
  },
  ERR_STEP_INVOKE_UNKNOWN: {
    retry: true,
    summary: "The function that the step invokes is none that is active.",
    next: "Deploy it, or correct its id.",
  },
  ERR_STEP_INVOKE_DATA: {
    retry: false,
    summary:
      "The `data` of a step that invokes a function could not be made, is no object, or makes an event over 256 KiB.",
    next: "Mend the expression that the message names, or guard the step with `if`.",
  },
  ERR_STEP_INVOKE_DEPTH: {
    retry: false,
    summary: "The step invokes a function, and its run is the 32nd of runs that were started by each other.",
    next: "Look whether functions invoke each other in a circle, and break it.",
  },
  ERR_STEP_LINKS: {
    retry: true,
    summary:
      "The step is to hand out links, and nobody could open them: the host has no address that others reach.",
    next: "Start the host with --callback-url.",
  },
  ERR_STEP_OUTPUT_INVALID: {
    retry: false,
    summary:
      "The step put out what can't be kept: a typed step text that is not JSON, any step JSON nested deeper than 1,000 levels or a number beyond a double.",
    next: "Return JSON text in UTF-8 from the step's `run`, and nest it less deep.",
  },
  ERR_STEP_HTTP_REQUESTS: {
    retry: false,
    summary: "The attempt had more HTTP requests under way at once than `limits.http.concurrent`.",
    next: "Raise `limits.http.concurrent`, or wait for a response before the next request.",
  },
  ERR_STEP_HTTP_TOO_LARGE: {
    retry: false,
    summary: "The body of an HTTP request or response of the attempt was larger than `limits.http.body`.",
    next: "Raise `limits.http.body`, or ask for less at once.",
  },
  ERR_STEP_SECRET_MISSING: {
    retry: true,
    summary: "The host's operator has given no value for a secret that the step's document names.",
    next: "Have the operator add it to the file that `--secrets` names, or set MILLRACE_SECRET_<NAME>, and start the host again.",
  },
  ERR_STEP_CANCELLED: {
    retry: true,
    summary: "The attempt was ended because its run was cancelled or its host is stopping.",
    next: "Nothing: a stopped host's run goes on when a host is back.",
  },
  ERR_STEP_POLICY: {
    retry: false,
    summary: "The policy of the host's operator does not allow what the step's document asks for.",
    next: "Ask for less in the step's document, or have the operator change the policy.",
  },
  ERR_COMPONENT_INVALID: {
    retry: false,
    summary:
      "The artifact is not a valid WebAssembly component or core module, or uses what no engine here runs: threads, 64-bit memory, garbage-collected types, async functions.",
    next: "Push the output of a component toolchain; `wasm-tools validate` says where it breaks.",
  },
  ERR_COMPONENT_EXPORT: {
    retry: false,
    summary:
      "The component exports neither `millrace:step/handler` nor `wasi:cli/run`, or exports it with another type.",
    next: "Build it against the world in `millrace/wit`, or as a WASI command.",
  },
  ERR_COMPONENT_IMPORT: {
    retry: false,
    summary:
      "The component imports something that its step was not granted, or with another type than the host has.",
    next: "Remove the import, or grant the capability in the step's document.",
  },
  ERR_ARTIFACT_MISSING: {
    retry: true,
    summary: "The component that this function version names is not in the store.",
    next: "Build or push the function again.",
  },
  ERR_RUNTIME_UNAVAILABLE: {
    retry: false,
    summary: "This host has no driver for the step's runtime.",
    next: "Run the step on a host that has it; `millrace doctor` lists what this one has.",
  },
  ERR_ENGINE_UNAVAILABLE: {
    retry: false,
    summary:
      "The engine that was asked for by name can't be loaded, or does not have what the step's limits need; nothing was started.",
    next: "Leave the engine to `auto`, or see `millrace doctor` for why it does not load.",
  },
  ERR_ENGINE_BROKEN: {
    retry: true,
    summary: "The engine itself failed, not the step.",
    next: "Report it with the message; the attempt is tried again.",
  },
  ...dockerErrors,
  ...lambdaErrors,
  ...httpErrors,
} as const satisfies Record<string, RuntimeErrorRow>;

/** A stable code of the runtime's table. */
export type RuntimeErrorCode = keyof typeof runtimeErrors;
