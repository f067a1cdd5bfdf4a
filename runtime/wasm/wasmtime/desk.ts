import type { Done, DoneCall, NativeEngine } from "./binding.ts";

/** Keeps what was asked of the native side until it has ended. */
export interface Desk {
  readonly native: NativeEngine;
  /** Calls `request` with a number of its own; resolves to what has ended under that number. `hear`: it makes a call. */
  ask<T>(request: (id: number) => void, hear?: Hear): Promise<T>;
  /** Ends what runs; resolves once every thread has ended. */
  close(): Promise<void>;
}

type Hear = (id: number, call: DoneCall) => void;

interface Waiting {
  readonly resolve: (done: never) => void;
  readonly hear?: Hear;
}

/** A longer time than any process runs; the timer only keeps the process alive. */
const longest = 2 ** 31 - 1;

/** Numbers go round before they leave 32 bits. */
const numbers = 2 ** 31;

export function createDesk(create: (notify: () => void) => NativeEngine): Desk {
  const waiting = new Map<number, Waiting>();
  // Native threads don't keep the process alive; what is asked of them does.
  const alive = setInterval(() => undefined, longest).unref();
  let last = 0;

  const drain = (): void => {
    for (const done of native.drain()) settle(done);
    if (waiting.size === 0) alive.unref();
  };
  const settle = (done: Done): void => {
    const asked = waiting.get(done.id);
    if (done.kind === "call" || done.kind === "forgotten") {
      asked?.hear?.(done.id, done);
      return;
    }
    waiting.delete(done.id);
    asked?.resolve(done as never);
  };
  const native = create(drain);

  return {
    native,
    ask(request, hear) {
      return new Promise((resolve) => {
        do last = (last + 1) % numbers;
        while (last === 0 || waiting.has(last));
        const id = last;
        if (waiting.size === 0) alive.ref();
        waiting.set(id, { resolve, ...(hear && { hear }) });
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
        waiting.set(0, { resolve });
        alive.ref();
        native.close();
      });
      clearInterval(alive);
      native.dispose();
    },
  };
}
