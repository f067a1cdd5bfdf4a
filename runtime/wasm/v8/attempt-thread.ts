import type { RuntimeErrorCode } from "../../errors.ts";
import type { EngineResult } from "../engine.ts";
import { failure } from "../../failure.ts";
import type { HostCalls } from "../calls.ts";
import { refusedCalls } from "../refused-calls.ts";
import { answerCalls, openReplies } from "./call-answers.ts";
import { watchCpu } from "./cpu-watch.ts";
import { createLogBuffer, readLog } from "./log-buffer.ts";
import type { FromWorker, Program, RunRequest, ToWorker, WorkerEnding } from "./protocol.ts";
import { startThread } from "./thread.ts";
import type { WorkerData } from "./worker.ts";

/** One attempt, as a thread is asked to run it. */
export interface ThreadAttempt {
  readonly program: Program;
  readonly run: RunRequest;
  readonly wallMs: number;
  readonly cpuMs?: number;
  /** Without it every call is refused. */
  readonly calls?: HostCalls;
  readonly signal?: AbortSignal;
}

/** A worker thread that runs one attempt after the other. */
export interface AttemptThread {
  /** True when the thread has loaded the program already. */
  holds(key: string): boolean;
  /** Runs one attempt; when it is not `reusable` afterwards, the thread must be ended. Rejects when calls can't be answered. */
  attempt(attempt: ThreadAttempt): Promise<{ readonly result: EngineResult; readonly reusable: boolean }>;
  /** Ends the thread, and what runs on it as cancelled. */
  end(): Promise<void>;
}

/** What becomes of a thread by itself. */
export interface ThreadEvents {
  ready(): void;
  /** It has ended; the error says why, unless it was asked to. */
  ended(error: Error): void;
}

/** Programs that a thread holds at once. */
const loadedPrograms = 64;

/** Starts a thread; it takes attempts once it is ready. `codeCache`: where its compiled code is kept. */
export function startAttemptThread(codeCache: string, events: ThreadEvents): AttemptThread {
  const log = createLogBuffer();
  const replies = openReplies();
  const { bell, line } = replies;
  const data: WorkerData = { entry: "worker", codeCache, log, bell, answers: line };
  const worker = startThread(data, [line]);
  let listener: ((message: FromWorker | Error) => void) | undefined;
  let cancel: (() => void) | undefined;
  let died: Error | undefined;
  let told = false;
  /** A thread that is told to end keeps the process alive until it has: whoever closes the engine waits for that. */
  const unref = (): void => {
    if (!told) worker.unref();
  };
  const send = (message: ToWorker): void => {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    worker.postMessage(message);
  };
  worker.on("message", (message: FromWorker) => {
    if (message.type === "ready") {
      // From here on only an attempt keeps the process alive.
      unref();
      events.ready();
    } else listener?.(message);
  });
  worker.on("error", (error: Error) => (died = error));
  worker.on("exit", (code) => {
    replies.close();
    const error = died ?? new Error(`a worker thread ended by itself with code ${code}`);
    listener?.(error);
    events.ended(error);
  });

  const programs = programsOf(send);

  const drive = (attempt: ThreadAttempt): Promise<Driven> =>
    new Promise((resolve, reject) => {
      const { program, run, wallMs, cpuMs, calls = refusedCalls, signal } = attempt;
      let timer: NodeJS.Timeout | undefined;
      let unwatch: (() => void) | undefined;
      const finish = (): void => {
        clearTimeout(timer);
        unwatch?.();
        signal?.removeEventListener("abort", abort);
        listener = undefined;
        cancel = undefined;
        answering.end();
      };
      const settle = (ending: WorkerEnding, reusable: boolean): void => {
        finish();
        resolve({ ending, reusable });
      };
      const fail = (code: RuntimeErrorCode, message: string): void =>
        settle({ kind: "failed", code, message }, false);
      const abort = (): void => fail("ERR_STEP_CANCELLED", "The attempt was cancelled.");
      const answering = answerCalls({
        calls,
        memoryBytes: run.memoryBytes,
        reply: replies.reply,
        fail,
        broken(error) {
          finish();
          reject(error);
        },
      });
      const begin = (): void => {
        // Only now: loading is not the guest's time.
        timer = setTimeout(
          () => fail("ERR_STEP_TIMEOUT", `The attempt took longer than ${wallMs} ms.`),
          wallMs,
        );
        if (cpuMs !== undefined) unwatch = watchCpu(worker, cpuMs, (used) => fail("ERR_STEP_CPU", used));
        send({ type: "run", run });
      };
      listener = (message) => {
        if (message instanceof Error) return fail(...threadFailure(message));
        if (message.type === "loaded") return begin();
        if (message.type === "ended") settle(message.ending, !message.tainted);
        if (message.type === "call" || message.type === "forget") answering.hear(message);
      };
      cancel = abort;
      signal?.addEventListener("abort", abort, { once: true });
      if (programs.load(program)) begin();
    });

  return {
    holds: programs.holds,
    async attempt(attempt) {
      worker.ref();
      const { ending, reusable } = await drive(attempt).finally(unref);
      return { result: { ending: toEnding(ending), logs: readLog(log) }, reusable };
    },
    async end() {
      told = true;
      cancel?.();
      await worker.terminate();
    },
  };
}

/** The programs that a thread has loaded. */
function programsOf(send: (message: ToWorker) => void) {
  // The one used last at the end.
  const loaded = new Set<string>();
  return {
    holds: (key: string): boolean => loaded.has(key),
    /** Sends the program where the thread lacks it; false when it has to be waited for. */
    load(program: Program): boolean {
      const held = loaded.delete(program.key);
      loaded.add(program.key);
      if (held) return true;
      const [oldest] = loaded;
      if (loaded.size > loadedPrograms && oldest !== undefined) {
        loaded.delete(oldest);
        send({ type: "unload", key: oldest });
      }
      send({ type: "load", program });
      return false;
    },
  };
}

interface Driven {
  readonly ending: WorkerEnding;
  readonly reusable: boolean;
}

/** Why a thread died under an attempt. */
function threadFailure(error: Error & { readonly code?: string }): [RuntimeErrorCode, string] {
  if (error.code === "ERR_WORKER_OUT_OF_MEMORY") {
    return ["ERR_STEP_MEMORY", "The attempt used up the memory of the engine's thread."];
  }
  return ["ERR_ENGINE_BROKEN", `The engine's thread ended: ${error.message}`];
}

function toEnding(ending: WorkerEnding): EngineResult["ending"] {
  return ending.kind === "failed" ? { kind: "ended", failure: failure(ending.code, ending.message) } : ending;
}
