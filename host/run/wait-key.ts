import { createHash } from "node:crypto";
import type { Event } from "../event/event.ts";
import type { WaitDefinition } from "../function/definition.ts";
import type { Scope } from "../function/expression.ts";
import { scalarAt, type Scalar } from "../function/expression-index.ts";

/** The path of waits that every event of their name is tried against. */
const anyValue = "[]";

/** How the store finds a wait: by the event's name, and by what the event must have at a path. */
interface WaitPlace {
  /** The path in the event, as a JSON array. */
  readonly path: string;
  readonly key: string;
}

/** Where to arm a wait; undefined when no event can match it. */
export function waitPlace({ event, index }: WaitDefinition, scope: Scope): WaitPlace | undefined {
  const wanted = index?.value(scope);
  if (wanted?.kind === "never") return undefined;
  if (index === undefined || wanted?.kind !== "value") {
    return { path: anyValue, key: keyOf(event, anyValue, null) };
  }
  const path = JSON.stringify(index.path);
  return { path, key: keyOf(event, path, wanted.value) };
}

/** Where to look for waits that the event may match, given the paths by which waits of its name were armed. */
export function keysOf(event: Event, paths: readonly string[]): readonly string[] {
  return paths.flatMap((path) => {
    if (path === anyValue) return [keyOf(event.name, path, null)];
    const value = scalarAt(event, JSON.parse(path) as string[]);
    return value === undefined ? [] : [keyOf(event.name, path, value)];
  });
}

/** 12 hex digits: two that fall together cost a look, since each run tries its own match. */
function keyOf(eventName: string, path: string, value: Scalar): string {
  // -0 equals 0 in CEL, and JSON writes both as 0.
  const text = JSON.stringify([eventName, path, value]);
  return createHash("sha256").update(text).digest("hex").slice(0, 12);
}
