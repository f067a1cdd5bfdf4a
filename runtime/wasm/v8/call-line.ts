import { type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import type { HostAnswer, HostCall, WithBytes } from "../calls.ts";
import type { AnswerMessage, CallMessage } from "./protocol.ts";

/** How a guest's thread asks the host, which answers outside of it. */
export interface CallLine {
  /** Makes a call, by whose number the answer is known. The bytes are copied. */
  ask(head: HostCall, bytes?: Uint8Array): number;
  isAnswered(number: number): boolean;
  /** Takes the answer of a call that has one. */
  take(number: number): WithBytes<HostAnswer>;
  /** The answer of a call is no longer wanted, nor the call where it is under way. */
  forget(number: number): void;
  /**
   * Puts the thread to sleep until one of these calls is answered, or for so many milliseconds; ending the worker wakes it.
   * It may wake a little early.
   */
  sleep(calls: readonly number[], ms?: number): void;
}

/** What a thread has of its line from one attempt to the next. */
export interface ThreadLine {
  /** The line of a new attempt; answers to an earlier one are dropped. `most`: calls without an answer at once. */
  begin(most: number, holder: Holder): CallLine;
}

/** Counts the bytes of calls under way, and of answers that nobody has taken. */
interface Holder {
  hold(bytes: number): void;
  release(bytes: number): void;
}

/** Milliseconds that a thread sleeps at once: a timeout has to fit into 31 bits. */
const longestSleep = 1e9;

/** `bell` counts the answers that were posted on `answers`. */
export function createThreadLine(
  send: (message: CallMessage, transfer: readonly ArrayBuffer[]) => void,
  answers: MessagePort,
  bell: Int32Array,
): ThreadLine {
  // Never begun anew: no answer to an earlier attempt is taken for one to this.
  let last = 0;
  return {
    begin(most, { hold, release }) {
      // With the bytes that went along.
      const waiting = new Map<number, number>();
      const unwanted = new Map<number, number>();
      const answered = new Map<number, WithBytes<HostAnswer>>();
      const drain = (): void => {
        for (
          let got = receiveMessageOnPort(answers);
          got !== undefined;
          got = receiveMessageOnPort(answers)
        ) {
          const { number, head, bytes } = got.message as AnswerMessage;
          release(waiting.get(number) ?? unwanted.get(number) ?? 0);
          if (unwanted.delete(number) || !waiting.delete(number)) continue;
          answered.set(number, { head, ...(bytes && { bytes }) });
          hold(bytes?.length ?? 0);
        }
      };
      const sleepUntil = (done: () => boolean, ms = Number.POSITIVE_INFINITY): void => {
        const seen = Atomics.load(bell, 0);
        drain();
        if (!done()) Atomics.wait(bell, 0, seen, Math.min(ms, longestSleep));
      };
      const isAnswered = (number: number): boolean => {
        if (!answered.has(number)) drain();
        return answered.has(number);
      };
      return {
        isAnswered,
        ask(head, bytes) {
          // One over the limit is what ends the attempt: no more of them are sent until it has.
          const hasRoom = (): boolean => waiting.size + unwanted.size <= most;
          while (!hasRoom()) sleepUntil(hasRoom);
          const number = ++last;
          const length = bytes?.length ?? 0;
          hold(length);
          waiting.set(number, length);
          const copy = bytes?.slice();
          send(
            { type: "call", number, head, ...(copy && { bytes: copy }) },
            copy === undefined ? [] : [copy.buffer],
          );
          return number;
        },
        take(number) {
          const answer = answered.get(number);
          if (answer === undefined) throw new Error(`call ${number} has no answer`);
          answered.delete(number);
          release(answer.bytes?.length ?? 0);
          return answer;
        },
        forget(number) {
          const sent = waiting.get(number);
          if (sent !== undefined) {
            waiting.delete(number);
            unwanted.set(number, sent);
            send({ type: "forget", number }, []);
          } else if (answered.has(number)) this.take(number);
        },
        sleep: (calls, ms) => sleepUntil(() => calls.some((number) => answered.has(number)), ms),
      };
    },
  };
}
