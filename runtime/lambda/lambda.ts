import type { Attempt, AttemptResult, Driver, StepFailure } from "../driver.ts";
import { failure } from "../failure.ts";
import type { StepInput } from "../input.ts";
import type { Limits } from "../limits.ts";
import { programOutput } from "../output.ts";
import { createTurns } from "../turns.ts";
import type { ConnectLambda, InvocationAnswer } from "./api.ts";
import { createConnect, customEndpoint } from "./connect.ts";
import { createClients } from "./clients.ts";
import { invocationFailure } from "./faults.ts";
import { functionFailure, readFunctionError, traceLines } from "./function-error.ts";
import { lastLines, tailLines } from "./log-tail.ts";
import { functionTitle, lambdaOptions, type LambdaOptions } from "./options.ts";

/** What the driver is created with. */
export interface LambdaDriverOptions {
  /** Invocations at once, and connections; 100 by default, since they wait and do not compute here. */
  readonly parallelism?: number;
  /** How Lambda's API is opened; by AWS's SDK by default. */
  readonly connect?: ConnectLambda;
}

/** What Lambda takes for a synchronous invocation. */
const largestPayload = 6 * 1024 * 1024;

/** Milliseconds that asking for a function may take. */
const checkTimeout = 10_000;

/** Executes steps that are AWS Lambda functions, by synchronous invocation. */
export function createLambdaDriver(options: LambdaDriverOptions = {}): Driver {
  const { parallelism = 100, connect = createConnect() } = options;
  const clients = createClients(connect, parallelism);
  const turns = createTurns(parallelism);
  const closing = new AbortController();
  const underWay = new Set<Promise<AttemptResult>>();

  const execute = async ({ program, input, limits, signal }: Attempt): Promise<AttemptResult> => {
    const target = lambdaOptions(program);
    if ("code" in target) return failed(target);
    const payload = Buffer.from(JSON.stringify(input));
    if (payload.length > largestPayload) return failed(tooLarge(payload.length, input));
    const ended = AbortSignal.any([closing.signal, ...(signal === undefined ? [] : [signal])]);
    const endTurn = await turns.take(ended);
    if (endTurn === undefined) return failed(cancelled());
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), limits.wallMs);
    try {
      const stop = AbortSignal.any([ended, late.signal]);
      const answer = await unlessAborted(
        stop,
        clients.at(target).then((api) => api.invoke({ ...target, payload }, stop)),
      );
      return attemptResult(answer, target, limits);
    } catch (error) {
      if (ended.aborted) return failed(cancelled());
      return failed(late.signal.aborted ? timedOut(target, limits) : invocationFailure(error, target));
    } finally {
      clearTimeout(timer);
      endTurn();
    }
  };

  return {
    name: "lambda",
    async prepare(program) {
      const target = lambdaOptions(program);
      if ("code" in target) return target;
      try {
        const api = await clients.at(target);
        // What is not AWS may run the function instead.
        if (customEndpoint(target) !== undefined) return undefined;
        const signal = AbortSignal.any([closing.signal, AbortSignal.timeout(checkTimeout)]);
        await unlessAborted(signal, api.check(target, signal));
        return undefined;
      } catch (error) {
        return closing.signal.aborted ? cancelled() : invocationFailure(error, target);
      }
    },
    execute(attempt) {
      const result = execute(attempt);
      underWay.add(result);
      return result.finally(() => underWay.delete(result));
    },
    async close() {
      closing.abort();
      await Promise.allSettled(underWay);
      await clients.close();
    },
  };
}

/** Rejects when the signal aborts, whatever the promise does: looking for credentials takes no signal. */
async function unlessAborted<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

function attemptResult(answer: InvocationAnswer, target: LambdaOptions, limits: Limits): AttemptResult {
  const tail = answer.logResult === undefined ? [] : tailLines(answer.logResult);
  const { executedVersion: version } = answer;
  const traces = {
    logs: lastLines(tail, limits.logBytes),
    ...(version === undefined ? {} : { ran: `${target.function}:${version}` }),
  };
  const text = new TextDecoder().decode(answer.payload);
  if (answer.functionError !== undefined) {
    const error = readFunctionError(text);
    const logs = tail.length > 0 ? traces.logs : lastLines(traceLines(error), limits.logBytes);
    return { ok: false, failure: functionFailure(error, target), ...traces, logs };
  }
  if (answer.payload.length > limits.outputBytes) {
    const message = `The step put out ${answer.payload.length} bytes; its limit is ${limits.outputBytes}.`;
    return { ok: false, failure: failure("ERR_STEP_OUTPUT_TOO_LARGE", message), ...traces };
  }
  return { ...programOutput(text), ...traces };
}

function failed(why: StepFailure): AttemptResult {
  return { ok: false, failure: why, logs: [] };
}

function cancelled(): StepFailure {
  return failure("ERR_STEP_CANCELLED", "The attempt was ended. Lambda may run it to its end.");
}

function timedOut(target: LambdaOptions, { wallMs }: Limits): StepFailure {
  const message = `The attempt took longer than ${wallMs} ms, the step's \`timeout\`. Lambda may run ${functionTitle(target)} to its end; what it answers is not taken.`;
  return failure("ERR_STEP_TIMEOUT", message);
}

function tooLarge(bytes: number, { event, steps }: StepInput): StepFailure {
  const parts = [
    ["the event", event] as const,
    ...Object.entries(steps).map(([id, output]) => [`the output of ${id}`, output] as const),
  ].map(([name, value]) => ({ name, bytes: Buffer.byteLength(JSON.stringify(value)) }));
  const [largest] = parts.toSorted((a, b) => b.bytes - a.bytes);
  const most = largest === undefined ? "" : ` ${largest.name} alone has ${largest.bytes}.`;
  const message = `The step's input has ${bytes} bytes; Lambda takes ${largestPayload}.${most}`;
  return failure("ERR_LAMBDA_PAYLOAD", message);
}
