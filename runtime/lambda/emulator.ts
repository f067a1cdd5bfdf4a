import { createTurns } from "../turns.ts";
import type { Invocation, InvocationAnswer, LambdaApi } from "./api.ts";

/** What the SDK throws for an answer that is no success. */
interface Refusal {
  readonly $metadata?: { readonly httpStatusCode?: number; readonly requestId?: string };
  readonly errorType?: string;
  readonly errorMessage?: string;
}

/** The one function that the emulator has, whatever it is. */
const onlyFunction = "function";

/**
 * Lambda's API at an address that may be AWS's Runtime Interface Emulator. That one names no requests, calls its one
 * function `function`, falls over by a second invocation at once, and leaves out the header that tells an error from
 * an output.
 */
export function emulated(api: LambdaApi): LambdaApi {
  const turns = createTurns(1);
  const never = new AbortController().signal;
  let isAws = false;

  const ask = async (invocation: Invocation, signal: AbortSignal): Promise<InvocationAnswer> => {
    try {
      const answer = await api.invoke(invocation, signal);
      isAws = answer.requestId !== undefined;
      return isAws ? answer : told(answer);
    } catch (error) {
      const { $metadata, errorType, errorMessage } = error as Refusal;
      isAws = $metadata?.requestId !== undefined;
      if (isAws || $metadata?.httpStatusCode === undefined) throw error;
      // A function's process that ended.
      if (errorType !== undefined) return failed(JSON.stringify({ errorType, errorMessage }));
      if ($metadata.httpStatusCode !== 404 || invocation.function === onlyFunction) throw error;
      return ask({ function: onlyFunction, payload: invocation.payload }, signal);
    }
  };

  return {
    ...api,
    async invoke(invocation, signal) {
      if (isAws) return api.invoke(invocation, signal);
      const endTurn = await turns.take(signal);
      if (endTurn === undefined) throw signal.reason;
      // An invocation that nobody waits for any more is still under way there.
      return ask(invocation, never).finally(endTurn);
    },
  };
}

/** The answer with what it does not say of itself: whether it is an error. */
function told(answer: InvocationAnswer): InvocationAnswer {
  const text = new TextDecoder().decode(answer.payload);
  if (/^Task timed out after [\d.]+ seconds$/.test(text)) {
    return failed(JSON.stringify({ errorType: "Sandbox.Timedout", errorMessage: text }));
  }
  return isError(text) ? { ...answer, functionError: "Unhandled" } : answer;
}

function failed(error: string): InvocationAnswer {
  return { payload: Buffer.from(error), functionError: "Unhandled" };
}

const errorKeys = new Set(["errorType", "errorMessage", "trace", "stackTrace", "requestId", "cause"]);

/** An object with an error's type and no other fields than an error has. */
function isError(text: string): boolean {
  if (!text.startsWith("{") || !text.includes('"errorType"')) return false;
  try {
    const keys = Object.keys(JSON.parse(text) as object);
    return keys.includes("errorType") && keys.every((key) => errorKeys.has(key));
  } catch {
    return false;
  }
}
