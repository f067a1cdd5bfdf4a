import type { StepFailure } from "../../driver.ts";
import { failure } from "../../failure.ts";
import type { HostCall, HostCalls } from "../calls.ts";
import { refusedCalls } from "../refused-calls.ts";
import type { DoneCall, NativeEngine } from "./binding.ts";

/** Answers the calls of one attempt. */
export interface Answering {
  /** Hears that a call is made, or that its answer is no longer wanted. */
  hear(id: number, done: DoneCall): void;
  /** The attempt has ended: what is under way is given up. Throws where the host failed to answer a call. */
  end(): StepFailure | undefined;
}

/** Answers with `calls`; where there are none, every call is refused. */
export function createAnswering(native: NativeEngine, calls: HostCalls = refusedCalls): Answering {
  const underWay = new Map<number, AbortController>();
  let ended = false;
  let breach: StepFailure | undefined;
  let broken: { readonly cause: unknown } | undefined;

  const stop = (id: number, why: StepFailure): void => {
    breach ??= why;
    native.cancel(id);
  };

  const answer = async (id: number, { number, text, data }: DoneCall): Promise<void> => {
    const controller = new AbortController();
    underWay.set(number, controller);
    const call = { head: JSON.parse(text ?? "") as HostCall, ...(data !== undefined && { bytes: data }) };
    try {
      const { head, bytes } = await calls(call, controller.signal);
      if (ended) return;
      if (head.kind === "breach") stop(id, failure(head.code, head.message));
      else if (!native.answer(id, number, JSON.stringify(head), bytes)) stop(id, tooLarge(bytes));
    } catch (error) {
      broken ??= { cause: error };
      if (!ended) native.cancel(id);
    } finally {
      underWay.delete(number);
    }
  };

  return {
    hear(id, done) {
      if (done.kind === "call") void answer(id, done);
      else underWay.get(done.number)?.abort();
    },
    end() {
      ended = true;
      for (const controller of underWay.values()) controller.abort();
      underWay.clear();
      if (broken !== undefined) throw broken.cause;
      return breach;
    },
  };
}

function tooLarge(bytes: Uint8Array = new Uint8Array()): StepFailure {
  return failure(
    "ERR_STEP_MEMORY",
    `The host's answer to an import has ${bytes.length} bytes, more than the step may hold.`,
  );
}
