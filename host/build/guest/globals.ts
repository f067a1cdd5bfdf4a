import { installClock } from "./clock.ts";
import { enqueueJob } from "./jobs.ts";
import { startTimer, stopTimer } from "./loop.ts";
import { installPromise } from "./promise-statics.ts";
import { installRandom } from "./random.ts";

/** A timer as Node gives it: code calls unref() on it, or clears it by number. */
class Timeout {
  readonly #id: number;
  constructor(id: number) {
    this.#id = id;
  }
  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }
  hasRef(): boolean {
    return true;
  }
  [Symbol.toPrimitive](): number {
    return this.#id;
  }
}

type Callback = (...args: unknown[]) => void;

function timer(repeats: boolean) {
  return (callback: Callback, delay?: unknown, ...args: unknown[]): Timeout => {
    if (typeof callback !== "function") throw new TypeError("The callback of a timer must be a function");
    return new Timeout(startTimer(() => callback(...args), delay, repeats));
  };
}

function clear(given: unknown): void {
  if (given !== undefined && given !== null) stopTimer(Number(given));
}

const noNetwork =
  "fetch is not available: this step was not granted `http`. Name the hosts that it may call in the step's capabilities.";

/** What a step expects of a JavaScript runtime and QuickJS does not have. The larger parts come with steps that name them. */
export function installGlobals(): void {
  installPromise();
  installClock();
  installRandom();
  Object.assign(globalThis, {
    setTimeout: timer(false),
    setInterval: timer(true),
    setImmediate: (callback: Callback, ...args: unknown[]) => timer(false)(callback, 0, ...args),
    clearTimeout: clear,
    clearInterval: clear,
    clearImmediate: clear,
    queueMicrotask(callback: () => void): void {
      if (typeof callback !== "function") throw new TypeError("The argument must be a function");
      enqueueJob(callback);
    },
    fetch: () => Promise.reject(new TypeError(noNetwork)),
    global: globalThis,
    self: globalThis,
  });
}
