import { Worker } from "node:worker_threads";

/** Whether this Node can tell what a thread has computed: 24.6 and newer. */
export const countsCpu = typeof (Worker.prototype as Partial<Worker>).cpuUsage === "function";

/** Its clock is asked no more often than this, in milliseconds. */
const leastMs = 5;

/**
 * Calls `spent` with what to say once the processor time of a thread from now on is over the limit, in milliseconds. It
 * is asked when it can have come to that at the earliest. Returns what ends the watch.
 */
export function watchCpu(worker: Worker, limitMs: number, spent: (message: string) => void): () => void {
  const before = worker.cpuUsage();
  let over = false;
  let timer: NodeJS.Timeout | undefined;
  const look = async (): Promise<void> => {
    const { user, system } = await worker.cpuUsage(await before);
    const usedMs = (user + system) / 1000;
    if (over) return;
    const used = `${Math.ceil(usedMs)} ms of processor time`;
    if (usedMs > limitMs) spent(`The attempt used ${used}, over the limit of ${limitMs} ms.`);
    else wait(limitMs - usedMs);
  };
  const wait = (milliseconds: number): void => {
    // A thread that has ended does not answer: that it ended is heard elsewhere.
    timer = setTimeout(() => void look().catch(() => undefined), Math.max(leastMs, milliseconds));
  };
  before.catch(() => undefined);
  wait(limitMs);
  return () => {
    over = true;
    clearTimeout(timer);
  };
}
