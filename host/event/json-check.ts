import type { Problem } from "../errors.ts";
import { pointerOf } from "../json-pointer.ts";
import { typeOf } from "../schema-problem.ts";

/** Objects and arrays within each other, the outermost counted. */
const deepestNesting = 128;

/** Problems that one value can give; the rest would only bury them. */
const mostProblems = 100;
/** A value that JSON could not carry in any case: the same object many times over can be endless to walk. */
const mostValues = 4_000_000;

interface Frame {
  readonly keys: readonly string[] | undefined;
  readonly values: readonly unknown[] | Readonly<Record<string, unknown>>;
  readonly length: number;
  at: number;
}

/**
 * Checks that a value is plain JSON without `__proto__` keys, no deeper than 128 levels, and that its strings are
 * whole Unicode; what is not is added to `problems`. Returns a number of bytes that its JSON has at most.
 */
export function checkJson(root: unknown, base: string, problems: Problem[]): number {
  const frames: Frame[] = [];
  const allowed = problems.length + mostProblems;
  let bound = 0;
  let values = 0;
  const report = (code: string, message: string): void => {
    const path = frames.map((frame) => frame.keys?.[frame.at - 1] ?? frame.at - 1);
    problems.push({ code, message, pointer: base + pointerOf(path) });
  };
  const visit = (value: unknown): void => {
    values += 1;
    switch (typeof value) {
      case "string":
        // A character takes at most six bytes: an escape such as \u0000.
        bound += value.length * 6 + 3;
        if (!value.isWellFormed())
          report("ERR_EVENT_INVALID", "the text has half a surrogate pair, which UTF-8 can't carry");
        return;
      case "number":
        bound += 26;
        if (!Number.isFinite(value))
          report("ERR_EVENT_INVALID", "the number is outside of what a double can hold");
        return;
      case "boolean":
        bound += 6;
        return;
      case "object":
        bound += 5;
        if (value !== null) enter(value);
        return;
      default:
        report("ERR_EVENT_INVALID", `JSON has no ${typeOf(value)}`);
    }
  };
  const enter = (value: object): void => {
    if (frames.length === deepestNesting) {
      report("ERR_EVENT_TOO_DEEP", `it nests deeper than ${deepestNesting} levels`);
    } else if (Array.isArray(value)) {
      frames.push({ keys: undefined, values: value, length: value.length, at: 0 });
    } else if (isPlainObject(value)) {
      const keys = Object.keys(value);
      frames.push({ keys, values: value as Readonly<Record<string, unknown>>, length: keys.length, at: 0 });
    } else {
      report("ERR_EVENT_INVALID", "JSON has no such object; convert it to plain data first");
    }
  };

  visit(root);
  for (let frame = frames.at(-1); frame !== undefined; frame = frames.at(-1)) {
    if (frame.at === frame.length || problems.length >= allowed || values > mostValues) {
      frames.pop();
      continue;
    }
    const index = frame.at;
    frame.at += 1;
    if (frame.keys === undefined) {
      visit((frame.values as readonly unknown[])[index]);
      continue;
    }
    const key = frame.keys[index] as string;
    bound += key.length * 6 + 4;
    if (key === "__proto__") report("ERR_EVENT_FORBIDDEN_KEY", "the key `__proto__` is not allowed");
    else if (!key.isWellFormed())
      report("ERR_EVENT_INVALID", "the key has half a surrogate pair, which UTF-8 can't carry");
    else visit((frame.values as Readonly<Record<string, unknown>>)[key]);
  }
  if (values > mostValues)
    problems.push({ code: "ERR_EVENT_TOO_LARGE", message: "it has too many values", pointer: base });
  return bound;
}

/** Whether an object is of no class: a literal, or one that JSON.parse made. */
export function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
