/** Promises that were rejected, and to which nothing is attached, with what they were rejected by. */
const lost = new Map<object, unknown>();

/** Whether a promise that is made now is one that a step may miss. */
let isWatching = true;

const Native = globalThis.Promise;

/** A promise that is missed when it is rejected and nobody cares; those of async functions are, by how they are bundled. */
class StepPromise<T> extends Native<T> {
  #isHandled = false;

  constructor(executor: ConstructorParameters<typeof Promise<T>>[0]) {
    super(executor);
    const before = isWatching;
    isWatching = false;
    void super.then(undefined, (reason: unknown) => {
      if (!this.#isHandled) lost.set(this, reason);
    });
    isWatching = before;
  }

  // oxlint-disable-next-line unicorn/no-thenable -- it is a promise
  override then<Result = T, Other = never>(
    onFulfilled?: ((value: T) => Result | PromiseLike<Result>) | null,
    onRejected?: ((reason: unknown) => Other | PromiseLike<Other>) | null,
  ): Promise<Result | Other> {
    this.#isHandled = true;
    lost.delete(this);
    return super.then(onFulfilled, onRejected);
  }

  static override get [Symbol.species](): PromiseConstructor {
    return isWatching ? StepPromise : Native;
  }
}

/** Puts them in place of the engine's own. */
export function installPromise(): void {
  void Object.defineProperty(StepPromise, "name", { value: "Promise" });
  globalThis.Promise = StepPromise;
}

/** Throws what a promise was rejected by that nothing handled. */
export function throwLost(): void {
  for (const reason of lost.values()) {
    lost.clear();
    console.error("A promise was rejected and nothing handled it:");
    throw reason;
  }
}
