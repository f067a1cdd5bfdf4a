import { capabilityOf, isPromise, StepPromise } from "./promise.ts";

type PromiseClass = Parameters<typeof capabilityOf>[0];
type Capability = ReturnType<typeof capabilityOf>;

/** What a combinator does with the promise at `index` of `total`. */
type Watch = (promise: ReturnType<PromiseClass["resolve"]>, index: number) => void;

const statics = {
  resolve(this: PromiseClass, value: unknown): unknown {
    if (isPromise(value) && value.constructor === (this as unknown)) return value;
    const { promise, resolve } = capabilityOf(this);
    resolve(value);
    return promise;
  },

  reject(this: PromiseClass, reason: unknown): unknown {
    const { promise, reject } = capabilityOf(this);
    reject(reason);
    return promise;
  },

  try(this: PromiseClass, callback: (...args: unknown[]) => unknown, ...args: unknown[]): unknown {
    const { promise, resolve, reject } = capabilityOf(this);
    try {
      resolve(callback(...args));
    } catch (error) {
      reject(error);
    }
    return promise;
  },

  withResolvers(this: PromiseClass): Capability {
    return capabilityOf(this);
  },

  race(this: PromiseClass, values: Iterable<unknown>): unknown {
    return combine(this, values, ({ resolve, reject }) => ({
      watch: (promise) => promise.then(resolve, reject),
      all() {},
    }));
  },

  all(this: PromiseClass, values: Iterable<unknown>): unknown {
    return combine(this, values, ({ resolve, reject }) => {
      const { put, all } = collect(resolve);
      return { watch: (promise, index) => promise.then(put(index), reject), all };
    });
  },

  allSettled(this: PromiseClass, values: Iterable<unknown>): unknown {
    return combine(this, values, ({ resolve }) => {
      const { put, all } = collect(resolve);
      return {
        watch(promise, index) {
          const settle = put(index);
          promise.then(
            (value: unknown) => settle({ status: "fulfilled", value }),
            (reason: unknown) => settle({ status: "rejected", reason }),
          );
        },
        all,
      };
    });
  },

  any(this: PromiseClass, values: Iterable<unknown>): unknown {
    return combine(this, values, ({ resolve, reject }) => {
      const { put, all } = collect((errors) =>
        reject(new AggregateError(errors as unknown[], "All promises were rejected")),
      );
      return { watch: (promise, index) => promise.then(resolve, put(index)), all };
    });
  },
};

/** Subscribes to each value in turn, then says how many there were. */
function combine(
  promiseClass: PromiseClass,
  values: Iterable<unknown>,
  how: (capability: Capability) => { readonly watch: Watch; all(total: number): void },
): unknown {
  const capability = capabilityOf(promiseClass);
  try {
    const { watch, all } = how(capability);
    let index = 0;
    for (const value of values) watch(promiseClass.resolve(value), index++);
    all(index);
  } catch (error) {
    capability.reject(error);
  }
  return capability.promise;
}

/** Values in the order of their index; `done` gets them once all are there. */
function collect(done: (values: unknown) => void) {
  const values: unknown[] = [];
  let total = Number.POSITIVE_INFINITY;
  let count = 0;
  const check = (): void => {
    if (count === total) done(values);
  };
  return {
    put(index: number) {
      let called = false;
      return (value: unknown): void => {
        if (called) return;
        called = true;
        values[index] = value;
        count++;
        check();
      };
    },
    all(known: number) {
      total = known;
      check();
    },
  };
}

/** Puts the promise in place of QuickJS's own. */
export function installPromise(): void {
  for (const [name, value] of Object.entries(statics)) {
    Object.defineProperty(StepPromise, name, { value, writable: true, configurable: true });
  }
  Object.defineProperty(StepPromise, "name", { value: "Promise", configurable: true });
  Object.assign(globalThis, { Promise: StepPromise });
  // These two make QuickJS's own promises, whose jobs never run.
  Object.assign(Array, { fromAsync });
  Reflect.deleteProperty(globalThis, "AsyncDisposableStack");
}

async function fromAsync(
  items: AsyncIterable<unknown> | Iterable<unknown> | ArrayLike<unknown>,
  map?: (value: unknown, index: number) => unknown,
): Promise<unknown[]> {
  const result: unknown[] = [];
  const iterable = Symbol.asyncIterator in items || Symbol.iterator in items ? items : Array.from(items);
  for await (const item of iterable as AsyncIterable<unknown>) {
    result.push(map === undefined ? item : await map(item, result.length));
  }
  return result;
}
