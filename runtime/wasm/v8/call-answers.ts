import { MessageChannel, type MessagePort } from "node:worker_threads";
import type { RuntimeErrorCode } from "../../errors.ts";
import type { HostAnswer, HostCalls, WithBytes } from "../calls.ts";
import type { AnswerMessage, CallMessage } from "./protocol.ts";

/** Answers the calls of one attempt, outside of its thread. */
export interface CallAnswers {
  /** Hears that the guest makes a call, or no longer wants its answer. */
  hear(message: CallMessage): void;
  /** The attempt has ended: what is under way is given up, and answers that come nobody hears of. */
  end(): void;
}

interface AnswerOptions {
  readonly calls: HostCalls;
  /** What the attempt may hold at most, in bytes. */
  readonly memoryBytes: number;
  reply(number: number, answer: WithBytes<HostAnswer>): void;
  /** A limit was broken: the attempt is over. */
  fail(code: RuntimeErrorCode, message: string): void;
  /** The host failed to answer. */
  broken(error: unknown): void;
}

/** Has `calls` answer, and replies to each call once; also to one whose answer is no longer wanted. */
export function answerCalls({ calls, memoryBytes, reply, fail, broken }: AnswerOptions): CallAnswers {
  const underWay = new Map<number, AbortController>();
  let ended = false;

  const answer = async ({ number, head, bytes }: CallMessage & { type: "call" }): Promise<void> => {
    const controller = new AbortController();
    underWay.set(number, controller);
    try {
      const answered = await calls({ head, ...(bytes && { bytes }) }, controller.signal);
      if (ended) return;
      const length = answered.bytes?.length ?? 0;
      if (answered.head.kind === "breach") fail(answered.head.code, answered.head.message);
      else if (length > memoryBytes) {
        const message = `The host's answer to an import has ${length} bytes, more than the step may hold.`;
        fail("ERR_STEP_MEMORY", message);
      } else reply(number, answered);
    } catch (error) {
      if (!ended) broken(error);
    } finally {
      underWay.delete(number);
    }
  };

  return {
    hear(message) {
      if (message.type === "call") void answer(message);
      else underWay.get(message.number)?.abort();
    },
    end() {
      ended = true;
      for (const controller of underWay.values()) controller.abort();
      underWay.clear();
    },
  };
}

/** How answers come to a thread that sleeps until there is one. */
export interface Replies {
  /** For the thread: it counts the answers. */
  readonly bell: SharedArrayBuffer;
  /** For the thread: where the answers are. */
  readonly line: MessagePort;
  reply(number: number, answer: WithBytes<HostAnswer>): void;
  close(): void;
}

export function openReplies(): Replies {
  const bell = new SharedArrayBuffer(4);
  const count = new Int32Array(bell);
  const { port1: answers, port2: line } = new MessageChannel();
  return {
    bell,
    line,
    reply(number, { head, bytes }) {
      // A copy of just these bytes: they may be a part of something larger that is the host's.
      const copy = bytes && Uint8Array.from(bytes);
      const message: AnswerMessage = { number, head, ...(copy && { bytes: copy }) };
      answers.postMessage(message, copy === undefined ? [] : [copy.buffer]);
      Atomics.add(count, 0, 1);
      Atomics.notify(count, 0);
    },
    close: () => answers.close(),
  };
}
