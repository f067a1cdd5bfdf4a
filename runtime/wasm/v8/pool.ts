import type { EngineResult } from "../engine.ts";
import { failure } from "../../failure.ts";
import { startAttemptThread } from "./attempt-thread.ts";
import type { AttemptThread, ThreadAttempt } from "./attempt-thread.ts";

/** Runs attempts on warm worker threads, one attempt a thread at a time. */
export interface Pool {
  /** Waits for its turn. Rejects when threads can't be started. */
  run(attempt: ThreadAttempt): Promise<EngineResult>;
  /** Starts threads ahead of the first attempt. */
  warm(): void;
  /** Ends what runs and waits as cancelled, and all threads. */
  close(): Promise<void>;
}

/** An attempt that waits for a thread; it gets none when it or the pool is ended before. */
interface Waiting {
  readonly key: string;
  readonly take: (thread: AttemptThread | Error | undefined) => void;
}

interface PoolState {
  readonly size: number;
  readonly codeCache: string;
  readonly threads: Set<AttemptThread>;
  /** Ready, with nothing to do. */
  readonly idle: AttemptThread[];
  readonly waiting: Waiting[];
  /** The ends of threads that were told to end. */
  readonly endings: Set<Promise<void>>;
  running: number;
  failedStarts: number;
  closed: boolean;
}

/** Threads that end before they are ready, one after the other, until attempts are failed instead of waiting. */
const mostFailedStarts = 5;

/** A pool for `size` attempts at once; one more thread stands by for one that has to be replaced. */
export function createPool(size: number, codeCache: string): Pool {
  const pool: PoolState = {
    size,
    codeCache,
    threads: new Set(),
    idle: [],
    waiting: [],
    endings: new Set(),
    running: 0,
    failedStarts: 0,
    closed: false,
  };
  return {
    async run(attempt) {
      const { signal } = attempt;
      if (pool.closed || signal?.aborted) return cancelled();
      const thread = await acquire(pool, attempt.program.key, signal);
      if (thread instanceof Error) throw thread;
      if (thread === undefined) return cancelled();
      let reusable = false;
      try {
        const done = await thread.attempt(attempt);
        reusable = done.reusable;
        return done.result;
      } finally {
        pool.running--;
        if (reusable && !pool.closed) pool.idle.push(thread);
        else discard(pool, thread);
        dispatch(pool);
      }
    },
    warm: () => dispatch(pool),
    async close() {
      pool.closed = true;
      for (const { take } of pool.waiting.splice(0)) take(undefined);
      await Promise.all([...pool.threads].map((thread) => thread.end()));
      await Promise.all(pool.endings);
    },
  };
}

function acquire(
  pool: PoolState,
  key: string,
  signal?: AbortSignal,
): Promise<AttemptThread | Error | undefined> {
  return new Promise((resolve) => {
    const entry: Waiting = {
      key,
      take(thread) {
        signal?.removeEventListener("abort", cancel);
        resolve(thread);
      },
    };
    const cancel = (): void => {
      pool.waiting.splice(pool.waiting.indexOf(entry), 1);
      resolve(undefined);
    };
    signal?.addEventListener("abort", cancel, { once: true });
    pool.waiting.push(entry);
    dispatch(pool);
  });
}

/** Gives idle threads to those who wait, then starts as many as the load asks for, and one ahead. */
function dispatch(pool: PoolState): void {
  if (pool.closed) return;
  while (pool.running < pool.size && pool.idle.length > 0) {
    const next = pool.waiting.shift();
    if (next === undefined) break;
    const holder = pool.idle.findIndex((thread) => thread.holds(next.key));
    const [thread] = pool.idle.splice(Math.max(0, holder), 1);
    pool.running++;
    next.take(thread);
  }
  const wanted = Math.min(pool.size, pool.running + pool.waiting.length) + 1;
  while (pool.threads.size < wanted) start(pool);
}

function start(pool: PoolState): void {
  let ready = false;
  const thread = startAttemptThread(pool.codeCache, {
    ready() {
      ready = true;
      pool.failedStarts = 0;
      pool.idle.push(thread);
      dispatch(pool);
    },
    ended(error) {
      forget(pool, thread);
      if (!ready && !pool.closed && ++pool.failedStarts >= mostFailedStarts) {
        pool.failedStarts = 0;
        for (const { take } of pool.waiting.splice(0)) take(error);
      } else if (!ready) dispatch(pool);
    },
  });
  pool.threads.add(thread);
}

function forget(pool: PoolState, thread: AttemptThread): void {
  pool.threads.delete(thread);
  const at = pool.idle.indexOf(thread);
  if (at !== -1) pool.idle.splice(at, 1);
}

function discard(pool: PoolState, thread: AttemptThread): void {
  // A replacement may start at once: the thread is as good as gone, though its end takes some milliseconds.
  forget(pool, thread);
  const ending = thread.end().finally(() => pool.endings.delete(ending));
  pool.endings.add(ending);
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
