const noNetwork =
  "fetch is not available: this step was not granted `http`. Name the hosts that it may call in the step's capabilities.";

/** Timers that are due, requests that are under way: what a program waits for before it ends. */
let pending = 0;
let rest: (() => void) | undefined;

function done(): void {
  pending -= 1;
  if (pending === 0) rest?.();
}

let refuse: (reason: unknown) => void = () => undefined;

/** Is rejected by what a timer throws, and else never settles. */
export const uncaught = new Promise<never>((_, reject) => (refuse = reject));
uncaught.catch(() => undefined);

const turn = (): Promise<void> => new Promise((resolve) => void start(resolve, 0));

/** Resolves once no timer is due and no request under way; by then others may have begun, for which it waits too. */
export async function untilIdle(): Promise<void> {
  do {
    if (pending > 0) await new Promise<void>((resolve) => (rest = resolve));
    // What follows from the last one, such as reading a response, begins in a turn of its own.
    await turn();
  } while (pending > 0);
}

const start = globalThis.setTimeout;
const stop = globalThis.clearTimeout;

type Callback = (...args: unknown[]) => void;

/** Timers that are counted, by what their owners hold. */
const due = new Map<number, number>();

function timer(repeats: boolean) {
  return (callback: Callback, delay?: unknown, ...args: unknown[]): number => {
    if (typeof callback !== "function") throw new TypeError("The callback of a timer must be a function");
    const ms = Number(delay ?? 0);
    const fire = (): void => {
      if (repeats) due.set(id, Number(start(fire, ms)));
      else if (due.delete(id)) done();
      try {
        callback(...args);
      } catch (error) {
        refuse(error);
      }
    };
    const id = Number(start(fire, ms));
    due.set(id, id);
    pending += 1;
    return id;
  };
}

function clear(given: unknown): void {
  const id = Number(given);
  const current = due.get(id);
  if (current === undefined) return;
  stop(current);
  due.delete(id);
  done();
}

/** What a step expects of a JavaScript runtime and StarlingMonkey does not have, or not so that it can be waited for. */
export function installGlobals(http: boolean): void {
  const send = globalThis.fetch;
  const fetch = async (...args: Parameters<typeof send>): Promise<Response> => {
    pending += 1;
    try {
      return await send(...args);
    } finally {
      done();
    }
  };
  Object.assign(globalThis, {
    setTimeout: timer(false),
    setInterval: timer(true),
    setImmediate: (callback: Callback, ...args: unknown[]) => timer(false)(callback, 0, ...args),
    clearTimeout: clear,
    clearInterval: clear,
    clearImmediate: clear,
    fetch: http ? fetch : () => Promise.reject(new TypeError(noNetwork)),
    global: globalThis,
    self: globalThis,
  });
}
