type Thrown = Error & { payload?: unknown };

/** Calls a function of the host; what it throws says what the host said. */
export function told<T>(what: string, call: () => T): T {
  try {
    return call();
  } catch (error) {
    const { payload } = error as Thrown;
    if (payload !== undefined) (error as Thrown).message = `${what}: ${textOf(payload)}`;
    throw error;
  }
}

/** A case of a variant, with what it holds. */
function textOf(payload: unknown): string {
  if (typeof payload !== "object" || payload === null) return String(payload);
  const { tag, val } = payload as { tag?: unknown; val?: unknown };
  return typeof val === "string" ? val : String(tag);
}

/** The same of the methods of a class. */
export function tellMethods(what: string, prototype: object): void {
  for (const name of Object.getOwnPropertyNames(prototype)) {
    const method = (prototype as Record<string, unknown>)[name];
    if (name === "constructor" || typeof method !== "function") continue;
    const calling = function (this: unknown, ...args: unknown[]): unknown {
      return told(what, () => Reflect.apply(method, this, args) as unknown);
    };
    Object.defineProperty(prototype, name, { value: calling, writable: true, configurable: true });
  }
}
