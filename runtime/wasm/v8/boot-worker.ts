import { enableCompileCache, flushCompileCache } from "node:module";
import { workerData } from "node:worker_threads";

/** What every thread of the engine is started with. */
export interface BootData {
  readonly entry: "worker" | "translate-worker";
  /** The folder in which Node keeps the code of threads compiled; most of a thread's start is reading it. */
  readonly codeCache: string;
}

const { entry, codeCache } = workerData as BootData;
enableCompileCache(codeCache);
await (entry === "worker" ? import("./worker.ts") : import("./translate-worker.ts"));
// Threads are ended from outside, and a process may be killed: neither would write it.
flushCompileCache();
