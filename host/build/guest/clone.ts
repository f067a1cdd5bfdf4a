const errorClasses = { Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError };

function refuse(value: unknown): never {
  throw new DOMException(
    `${typeof value === "symbol" ? "A symbol" : String(value)} could not be cloned`,
    "DataCloneError",
  );
}

/** A deep copy of one value; `seen` keeps shared and circular references as they are. */
function clone(value: unknown, seen: Map<object, object>): unknown {
  if (typeof value === "function" || typeof value === "symbol") refuse(value);
  if (typeof value !== "object" || value === null) return value;
  const known = seen.get(value);
  if (known !== undefined) return known;
  const copy = shell(value, seen);
  if (copy !== undefined) return copy;
  if (
    value instanceof WeakMap ||
    value instanceof WeakSet ||
    value instanceof WeakRef ||
    value instanceof Promise
  ) {
    refuse(Object.prototype.toString.call(value));
  }
  const result: Record<string, unknown> | unknown[] = Array.isArray(value) ? Array(value.length) : {};
  seen.set(value, result);
  for (const [key, member] of Object.entries(value)) {
    const copied = clone(member, seen);
    // A plain assignment to __proto__ would not make a property.
    Object.defineProperty(result, key, {
      value: copied,
      writable: true,
      enumerable: true,
      configurable: true,
    });
  }
  return result;
}

/** The copy of a value that is not a plain object or array; undefined for those. */
function shell(value: object, seen: Map<object, object>): object | undefined {
  const keep = <T extends object>(copy: T): T => {
    seen.set(value, copy);
    return copy;
  };
  if (value instanceof Date) return keep(new Date(value.getTime()));
  if (value instanceof RegExp) return keep(new RegExp(value.source, value.flags));
  if (/^\[object (Boolean|Number|String|BigInt)\]$/.test(Object.prototype.toString.call(value))) {
    return keep(Object(value.valueOf()) as object);
  }
  if (value instanceof ArrayBuffer) return keep(value.slice(0));
  if (ArrayBuffer.isView(value)) {
    const buffer = clone(value.buffer, seen) as ArrayBuffer;
    const View = value.constructor as new (buffer: ArrayBuffer, offset: number, length: number) => object;
    const length = value instanceof DataView ? value.byteLength : (value as Uint8Array).length;
    return keep(new View(buffer, value.byteOffset, length));
  }
  if (value instanceof Map) {
    const copy = keep(new Map<unknown, unknown>());
    for (const [key, member] of value) copy.set(clone(key, seen), clone(member, seen));
    return copy;
  }
  if (value instanceof Set) {
    const copy = keep(new Set<unknown>());
    for (const member of value) copy.add(clone(member, seen));
    return copy;
  }
  if (value instanceof Error) {
    const Class = errorClasses[value.name as keyof typeof errorClasses] ?? Error;
    const copy = keep(new Class(value.message));
    if (value.stack !== undefined) copy.stack = value.stack;
    if ("cause" in value) copy.cause = clone(value.cause, seen);
    return copy;
  }
  return undefined;
}

/** structuredClone (HTML), without transfer. */
export function installClone(): void {
  Object.assign(globalThis, { structuredClone: (value: unknown) => clone(value, new Map()) });
}
