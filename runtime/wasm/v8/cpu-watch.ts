import { Worker } from "node:worker_threads";

/** Whether this Node can tell what a thread has computed: 24.6 and newer. */
export const countsCpu = typeof (Worker.prototype as Partial<Worker>).cpuUsage === "function";

/** Its clock is asked no more often than this, in milliseconds. */
const leastMs = 5;

/**
 * Calls `spent` with the processor time of a thread from now on, in milliseconds, once that is over the limit. It is
 * asked when it can have come to that at the earliest. Returns what ends the watch.
 */
export function watchCpu(worker: Worker, limitMs: number, spent: (usedMs: number) => void): () => void {
  const before = worker.cpuUsage();
  let over = false;
  let timer: NodeJS.Timeout | undefined;
  const look = async (): Promise<void> => {
    const { user, system } = await worker.cpuUsage(await before);
    const usedMs = (user + system) / 1000;
    if (over) return;
    if (usedMs > limitMs) spent(Math.ceil(usedMs));
    else wait(limitMs - usedMs);
  };
  const wait = (milliseconds: number): void => {
    // A thread that has ended does not answer: that it ended is heard elsewhere.
    timer = setTimeout(() => look().catch(() => undefined), Math.max(leastMs, milliseconds));
  };
  before.catch(() => undefined);
  wait(limitMs);
  return () => {
    over = true;
    clearTimeout(timer);
  };
}
