// The synchronous runtime never runs QuickJS's own queue of jobs while an export is called, so promises, async
// functions (lowered to generators) and queueMicrotask use this one.
const queue: ((() => void) | undefined)[] = [];
let head = 0;

/** Adds a microtask. */
export function enqueueJob(job: () => void): void {
  queue.push(job);
}

/** Runs microtasks until none is left; a throw leaves the rest in the queue. */
export function runJobs(): void {
  while (head < queue.length) {
    const job = queue[head];
    queue[head++] = undefined;
    // A chain of jobs that never ends must not hold all that it has done.
    if (head === 4096) {
      queue.splice(0, head);
      head = 0;
    }
    job?.();
  }
  queue.length = 0;
  head = 0;
}
