import { extname } from "node:path";
import { type Transferable, Worker } from "node:worker_threads";
import type { BootData } from "./boot-worker.ts";

/**
 * Bounds of a thread's own heap, which a guest can fill only through what the host keeps for it; its memory lies
 * outside of it. Going over ends the thread, as a rule: one allocation far over the bound would end the process.
 */
const resourceLimits = { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 32, stackSizeMb: 4 };

/** Starts a worker thread from a file beside this one, with nothing of the process but what it is given. */
export function startThread(bootData: BootData, transfer: readonly Transferable[] = []): Worker {
  // Sources run as .ts, the built package as .js.
  const url = new URL(`./boot-worker${extname(import.meta.url)}`, import.meta.url);
  const worker = new Worker(url, {
    workerData: bootData,
    transferList: [...transfer],
    name: `millrace ${bootData.entry}`,
    env: {},
    argv: [],
    execArgv: [],
    stdin: false,
    // Kept from the process's own, and not read either: to read them would keep the process alive. Threads print nothing.
    stdout: true,
    stderr: true,
    trackUnmanagedFds: false,
    resourceLimits,
  });
  // Its end tells the same; without a listener the error would end the process.
  worker.on("error", () => undefined);
  return worker;
}
