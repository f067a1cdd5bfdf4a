import type { Done, NativeEngine } from "./binding.ts";

/** Keeps what was asked of the native side until it has ended. */
export interface Desk {
  readonly native: NativeEngine;
  /** Calls `request` with a number of its own; resolves to what has ended under that number. */
  ask<T>(request: (id: number) => void): Promise<T>;
  /** Ends what runs; resolves once every thread has ended. */
  close(): Promise<void>;
}

/** A longer time than any process runs; the timer only keeps the process alive. */
const longest = 2 ** 31 - 1;

/** Numbers go round before they leave 32 bits. */
const numbers = 2 ** 31;

export function createDesk(create: (notify: () => void) => NativeEngine): Desk {
  const waiting = new Map<number, (done: never) => void>();
  // Native threads don't keep the process alive; what is asked of them does.
  const alive = setInterval(() => undefined, longest).unref();
  let last = 0;

  const drain = (): void => {
    for (const done of native.drain()) settle(done);
    if (waiting.size === 0) alive.unref();
  };
  const settle = (done: Done): void => {
    const resolve = waiting.get(done.id);
    waiting.delete(done.id);
    resolve?.(done as never);
  };
  const native = create(drain);

  return {
    native,
    ask(request) {
      return new Promise((resolve) => {
        do last = (last + 1) % numbers;
        while (last === 0 || waiting.has(last));
        const id = last;
        if (waiting.size === 0) alive.ref();
        waiting.set(id, resolve);
        try {
          request(id);
        } catch (error) {
          waiting.delete(id);
          throw error;
        }
      });
    },
    async close() {
      await new Promise((resolve) => {
        // "closed" comes under number 0, which nothing else has.
        waiting.set(0, resolve);
        alive.ref();
        native.close();
      });
      clearInterval(alive);
      native.dispose();
    },
  };
}
