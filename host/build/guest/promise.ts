import { enqueueJob } from "./jobs.ts";

type Settle = (value: unknown) => void;
type Executor = (resolve: Settle, reject: Settle) => void;

interface Capability {
  readonly promise: unknown;
  readonly resolve: Settle;
  readonly reject: Settle;
}

interface Reaction {
  readonly onFulfilled: unknown;
  readonly onRejected: unknown;
  readonly capability: Capability;
}

interface PromiseClass {
  new (executor: Executor): unknown;
  resolve(value: unknown): { then(onFulfilled: unknown, onRejected: unknown): unknown };
}

/** How a promise stands. */
export type Outcome =
  | { readonly state: "pending" }
  | { readonly state: "fulfilled"; readonly value: unknown }
  | { readonly state: "rejected"; readonly value: unknown };

/** Promises that were rejected and that nobody has asked about yet. */
const unhandled = new Set<StepPromise>();

/** Forgets and gives back the reasons of the rejections that nobody handles. */
export function takeUnhandled(): readonly unknown[] {
  const reasons = [...unhandled].map((promise) => reasonOf(outcomeOf(promise)));
  unhandled.clear();
  return reasons;
}

function reasonOf(outcome: Outcome): unknown {
  return outcome.state === "rejected" ? outcome.value : undefined;
}

/** How a promise stands; not a method, for steps see the class as `Promise`. */
export let outcomeOf: (promise: StepPromise) => Outcome;
/** Whether a value is one of these promises, of whatever subclass. */
export let isPromise: (value: unknown) => value is StepPromise;

/** ECMAScript's Promise (2025) on the guest's own queue of jobs. */
export class StepPromise {
  #outcome: Outcome = { state: "pending" };
  #reactions: Reaction[] = [];
  #handled = false;

  static {
    outcomeOf = (promise) => promise.#outcome;
    isPromise = (value): value is StepPromise =>
      typeof value === "object" && value !== null && #outcome in value;
  }

  static get [Symbol.species](): unknown {
    return this;
  }

  constructor(executor: Executor) {
    if (typeof executor !== "function") throw new TypeError("Promise resolver is not a function");
    const { resolve, reject } = this.#settlers();
    try {
      executor(resolve, reject);
    } catch (error) {
      reject(error);
    }
  }

  /** The pair of functions of which only the first call counts. */
  #settlers(): { readonly resolve: Settle; readonly reject: Settle } {
    let called = false;
    return {
      resolve: (value) => {
        if (called) return;
        called = true;
        this.#resolve(value);
      },
      reject: (reason) => {
        if (called) return;
        called = true;
        this.#settle({ state: "rejected", value: reason });
      },
    };
  }

  #resolve(value: unknown): void {
    if (value === this) {
      const reason = new TypeError("A promise can't be resolved with itself");
      return this.#settle({ state: "rejected", value: reason });
    }
    if ((typeof value !== "object" || value === null) && typeof value !== "function") {
      return this.#settle({ state: "fulfilled", value });
    }
    let then: unknown;
    try {
      then = (value as { then?: unknown }).then;
    } catch (error) {
      return this.#settle({ state: "rejected", value: error });
    }
    if (typeof then !== "function") return this.#settle({ state: "fulfilled", value });
    enqueueJob(() => {
      const { resolve, reject } = this.#settlers();
      try {
        then.call(value, resolve, reject);
      } catch (error) {
        reject(error);
      }
    });
  }

  #settle(outcome: Outcome): void {
    const reactions = this.#reactions;
    this.#outcome = outcome;
    this.#reactions = [];
    if (outcome.state === "rejected" && !this.#handled) unhandled.add(this);
    for (const reaction of reactions) enqueueJob(() => react(reaction, outcome));
  }

  // oxlint-disable-next-line unicorn/no-thenable -- this is what a promise is
  then(onFulfilled?: unknown, onRejected?: unknown): unknown {
    const reaction = { onFulfilled, onRejected, capability: capabilityOf(speciesOf(this)) };
    const outcome = this.#outcome;
    if (outcome.state === "pending") this.#reactions.push(reaction);
    else enqueueJob(() => react(reaction, outcome));
    this.#handled = true;
    unhandled.delete(this);
    return reaction.capability.promise;
  }

  catch(onRejected?: unknown): unknown {
    return this.then(undefined, onRejected);
  }

  finally(onFinally?: unknown): unknown {
    if (typeof onFinally !== "function") return this.then(onFinally, onFinally);
    const species = speciesOf(this);
    return this.then(
      (value: unknown) => species.resolve(onFinally()).then(() => value, undefined),
      (reason: unknown) =>
        species.resolve(onFinally()).then(() => {
          throw reason;
        }, undefined),
    );
  }

  get [Symbol.toStringTag](): string {
    return "Promise";
  }
}

function react({ onFulfilled, onRejected, capability }: Reaction, outcome: Outcome): void {
  if (outcome.state === "pending") return;
  const handler = outcome.state === "fulfilled" ? onFulfilled : onRejected;
  if (typeof handler !== "function") {
    if (outcome.state === "fulfilled") capability.resolve(outcome.value);
    else capability.reject(outcome.value);
    return;
  }
  let result: unknown;
  try {
    result = handler(outcome.value);
  } catch (error) {
    capability.reject(error);
    return;
  }
  capability.resolve(result);
}

function speciesOf(promise: StepPromise): PromiseClass {
  const constructor = promise.constructor as { [Symbol.species]?: PromiseClass } | undefined;
  if (constructor === undefined) return StepPromise as unknown as PromiseClass;
  return constructor[Symbol.species] ?? (StepPromise as unknown as PromiseClass);
}

/** NewPromiseCapability: a promise of that class, and the functions that settle it. */
export function capabilityOf(promiseClass: PromiseClass): Capability {
  let resolve: Settle | undefined;
  let reject: Settle | undefined;
  const promise = new promiseClass((first, second) => {
    if (resolve !== undefined || reject !== undefined) throw new TypeError("The executor was called twice");
    resolve = first;
    reject = second;
  });
  if (typeof resolve !== "function" || typeof reject !== "function") {
    throw new TypeError("Promise resolve or reject function is not callable");
  }
  return { promise, resolve, reject };
}
