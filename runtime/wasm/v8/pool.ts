import type { Worker } from "node:worker_threads";
import type { RuntimeErrorCode } from "../../errors.ts";
import type { EngineResult } from "../engine.ts";
import { failure } from "../failure.ts";
import { createLogBuffer, readLog } from "./log-buffer.ts";
import type { FromWorker, Program, RunRequest, ToWorker, WorkerEnding } from "./protocol.ts";
import { startThread } from "./thread.ts";
import type { WorkerData } from "./worker.ts";

/** Runs attempts on warm worker threads, one attempt a thread at a time. */
export interface Pool {
  run(program: Program, run: RunRequest, wallMs: number, signal?: AbortSignal): Promise<EngineResult>;
  close(): Promise<void>;
}

interface Thread {
  readonly worker: Worker;
  readonly log: SharedArrayBuffer;
  /** Keys of the programs it holds, the one used last at the end. */
  readonly loaded: Set<string>;
  /** Whom its next message, or its end, concerns. */
  listener: ((message: FromWorker | Error) => void) | undefined;
}

/** Programs that a thread holds at once. */
const loadedPrograms = 64;

/** Threads that die before they are ready, one after the other, until attempts are failed instead of waiting. */
const startFailures = 5;

/** A pool for `size` attempts at once; one more thread is kept ready to stand in for one that must be replaced. */
export function createPool(size: number): Pool {
  const threads = new Set<Thread>();
  const idle: Thread[] = [];
  const waiting: { readonly key: string; readonly take: (thread: Thread | Error) => void }[] = [];
  let running = 0;
  let failedStarts = 0;
  let closed = false;

  const start = (): void => {
    const log = createLogBuffer();
    const worker = startThread("worker", { log } satisfies WorkerData);
    worker.unref();
    const thread: Thread = { worker, log, loaded: new Set(), listener: undefined };
    threads.add(thread);
    let ready = false;
    let died: Error | undefined;
    worker.on("message", (message: FromWorker) => {
      if (message.type !== "ready") return thread.listener?.(message);
      ready = true;
      failedStarts = 0;
      idle.push(thread);
      dispatch();
    });
    worker.on("error", (error: Error) => {
      died = error;
    });
    worker.on("exit", (code) => {
      discard(thread);
      if (!ready && !closed) failedStarts++;
      thread.listener?.(died ?? new Error(`a worker thread ended by itself with code ${code}`));
      if (failedStarts >= startFailures) {
        failedStarts = 0;
        for (const { take } of waiting.splice(0)) take(died ?? new Error("worker threads don't start"));
      }
      dispatch();
    });
  };

  const discard = (thread: Thread): void => {
    threads.delete(thread);
    const at = idle.indexOf(thread);
    if (at !== -1) idle.splice(at, 1);
  };

  /** Gives idle threads to who waits, and starts as many as the load asks for, with one ahead. */
  const dispatch = (): void => {
    if (closed) return;
    while (waiting.length > 0 && idle.length > 0 && running < size) {
      const next = waiting.shift();
      if (next === undefined) break;
      const at = Math.max(
        0,
        idle.findIndex(({ loaded }) => loaded.has(next.key)),
      );
      const [thread] = idle.splice(at, 1);
      if (thread === undefined) break;
      running++;
      next.take(thread);
    }
    const wanted = Math.min(size, running + waiting.length) + 1;
    while (threads.size < wanted) start();
  };

  const acquire = (key: string, signal?: AbortSignal): Promise<Thread | Error | undefined> =>
    new Promise((resolve) => {
      const entry = {
        key,
        take: (thread: Thread | Error) => {
          signal?.removeEventListener("abort", cancel);
          resolve(thread);
        },
      };
      const cancel = (): void => {
        const at = waiting.indexOf(entry);
        if (at === -1) return;
        waiting.splice(at, 1);
        resolve(undefined);
      };
      signal?.addEventListener("abort", cancel, { once: true });
      waiting.push(entry);
      dispatch();
    });

  const release = (thread: Thread, reusable: boolean): void => {
    running--;
    thread.listener = undefined;
    if (reusable && !closed) {
      thread.worker.unref();
      idle.push(thread);
    } else {
      discard(thread);
      void thread.worker.terminate();
    }
    dispatch();
  };

  return {
    async run(program, run, wallMs, signal) {
      if (closed || signal?.aborted) return cancelled();
      const thread = await acquire(program.key, signal);
      if (thread === undefined) return cancelled();
      if (thread instanceof Error) throw thread;
      if (closed || signal?.aborted) {
        release(thread, true);
        return cancelled();
      }
      thread.worker.ref();
      const { ending, reusable } = await drive(thread, program, run, wallMs, signal);
      const logs = readLog(thread.log);
      release(thread, reusable);
      return { ending: toEnding(ending), logs };
    },
    async close() {
      closed = true;
      for (const { take } of waiting.splice(0)) take(new Error("closed"));
      await Promise.all([...threads].map(({ worker }) => worker.terminate()));
    },
  };
}

interface Driven {
  readonly ending: WorkerEnding;
  readonly reusable: boolean;
}

/** Loads the program where the thread lacks it, runs the attempt, and decides by which of its ends it ended. */
function drive(
  thread: Thread,
  program: Program,
  run: RunRequest,
  wallMs: number,
  signal?: AbortSignal,
): Promise<Driven> {
  const { worker, loaded } = thread;
  const send = (message: ToWorker): void => worker.postMessage(message);
  return new Promise((resolve) => {
    let timer: NodeJS.Timeout | undefined;
    const settle = (ending: WorkerEnding, reusable: boolean): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
      thread.listener = undefined;
      resolve({ ending, reusable });
    };
    const fail = (code: RuntimeErrorCode, message: string): void =>
      settle({ kind: "failed", code, message }, false);
    const abort = (): void => fail("ERR_STEP_CANCELLED", "The attempt was cancelled.");
    const begin = (): void => {
      // Only now: a guest's time must not pay for the loading.
      timer = setTimeout(
        () => fail("ERR_STEP_TIMEOUT", `The attempt took longer than ${wallMs} ms.`),
        wallMs,
      );
      send({ type: "run", run });
    };
    thread.listener = (message) => {
      if (message instanceof Error) return fail(...threadFailure(message));
      if (message.type === "loaded") return begin();
      if (message.type === "ended") settle(message, !message.tainted);
    };
    signal?.addEventListener("abort", abort, { once: true });
    const held = loaded.delete(program.key);
    loaded.add(program.key);
    if (held) return begin();
    const [oldest] = loaded;
    if (loaded.size > loadedPrograms && oldest !== undefined) {
      loaded.delete(oldest);
      send({ type: "unload", key: oldest });
    }
    send({ type: "load", program });
  });
}

/** Why a thread died under an attempt. */
function threadFailure(error: Error & { readonly code?: string }): [RuntimeErrorCode, string] {
  if (error.code === "ERR_WORKER_OUT_OF_MEMORY") {
    return ["ERR_STEP_MEMORY", "The attempt used up the memory of the engine's thread."];
  }
  return ["ERR_ENGINE_BROKEN", `The engine's thread ended: ${error.message}`];
}

function toEnding(ending: WorkerEnding): EngineResult["ending"] {
  if (ending.kind !== "failed") return ending;
  return { kind: "ended", failure: failure(ending.code, ending.message) };
}

function cancelled(): EngineResult {
  return {
    ending: {
      kind: "ended",
      failure: failure("ERR_STEP_CANCELLED", "The attempt was cancelled before it began."),
    },
    logs: [],
  };
}
