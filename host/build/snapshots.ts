import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import type { BuildNews, BuildRequest } from "./guest/evaluate.ts";
import type { WorldName } from "./world.ts";

/** A component of the guest into which no step was put yet. */
export interface Template {
  /** Digest of what it was made of. */
  readonly key: string;
  readonly world: WorldName;
  readonly bytes: Uint8Array;
}

/** A step to put into a template. */
export type SnapshotRequest = Omit<BuildRequest, "deferred"> & { readonly template: Template };

/** The component when the guest is ready; why there is none, else. `trapped`: while the step's module was loaded. */
export interface SnapshotAnswer {
  readonly news: BuildNews | { readonly kind: "trapped" | "broken" | "late"; readonly message: string };
  readonly component?: Uint8Array;
}

/** Milliseconds that putting a step into its guest may take, most of all loading the step's module. */
const longest = 30_000;

/** Threads that put steps into the guest. */
export interface Snapshots {
  /** Throws the signal's reason when it is aborted. */
  take(
    request: SnapshotRequest,
    options?: { readonly signal?: AbortSignal; readonly timeoutMs?: number },
  ): Promise<SnapshotAnswer>;
  /** Ends the threads. */
  close(): Promise<void>;
}

/** As many threads as snapshots are taken at once; each serves one after another. */
export function createSnapshots(): Snapshots {
  const idle: Worker[] = [];
  return {
    async take(request, { signal, timeoutMs = longest } = {}) {
      signal?.throwIfAborted();
      const worker = idle.pop() ?? startWorker();
      const answer = await ask(worker, request, timeoutMs, signal);
      if (answer === undefined) await worker.terminate();
      else idle.push(worker);
      signal?.throwIfAborted();
      const message = `it was not done after ${timeoutMs / 1000} s`;
      return answer ?? { news: { kind: "late", message } };
    },
    async close() {
      await Promise.all(idle.splice(0).map((worker) => worker.terminate()));
    },
  };
}

function startWorker(): Worker {
  const url = new URL(`./snapshot-worker${extname(import.meta.url)}`, import.meta.url);
  const worker = new Worker(url, {
    name: "millrace snapshot",
    env: {},
    argv: [],
    execArgv: [],
    stdin: false,
  });
  // A thread that waits for a step keeps no process alive.
  worker.unref();
  return worker;
}

/** The answer; undefined when it took too long or the signal was aborted, and the thread is of no more use. */
async function ask(
  worker: Worker,
  request: SnapshotRequest,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<SnapshotAnswer | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<SnapshotAnswer | undefined>();
  const giveUp = (): void => resolve(undefined);
  const exited = (code: number): void => reject(new Error(`the thread ended with code ${code}`));
  const timer = setTimeout(giveUp, timeoutMs);
  signal?.addEventListener("abort", giveUp, { once: true });
  worker.once("message", resolve);
  worker.once("error", reject);
  worker.once("exit", exited);
  worker.ref();
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  worker.postMessage(request);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", giveUp);
    worker.off("message", resolve);
    worker.off("error", reject);
    worker.off("exit", exited);
    worker.unref();
  }
}
