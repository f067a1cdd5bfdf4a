import type { Json } from "../../runtime/json.ts";
import { pointerStep } from "../json-pointer.ts";
import { canonicalJson } from "./digest.ts";

/** A string in a document, and its JSON pointer. */
export interface Text {
  readonly text: string;
  readonly pointer: string;
}

/** The parts of a document whose types are right, so that the checks of meaning run even beside wrong ones. */
export interface Outline {
  readonly triggers: readonly {
    readonly pointer: string;
    readonly value: Json;
    readonly expression?: Text;
  }[];
  readonly steps: ReadonlyMap<string, StepOutline>;
  readonly onFailure?: Text;
  readonly output?: Text;
  /** The expressions of events that cancel a run. */
  readonly cancels: readonly Text[];
  /** The expressions of flow control, each of which gives a value. */
  readonly values: readonly Text[];
  /** Which events a batch takes. */
  readonly batchIf?: Text;
  /** Its runs are for batches of events. */
  readonly batches: boolean;
}

interface StepOutline {
  readonly pointer: string;
  readonly id?: Text;
  readonly path?: Text;
  readonly join?: Json;
  readonly compensate?: Text;
  /** It invokes a function, and has no program. */
  readonly invoking: boolean;
  readonly forEach?: ForEachOutline;
  /** The expressions in the data of what it invokes. */
  readonly invokes: readonly Text[];
  readonly edges: readonly EdgeOutline[];
}

interface ForEachOutline {
  readonly pointer: string;
  readonly items?: Text;
  readonly onError?: Json;
  readonly tolerate?: Json;
}

export interface EdgeOutline {
  readonly pointer: string;
  readonly value: Json;
  readonly step?: Text;
  readonly on?: Text;
  readonly if?: Text;
  readonly waitUntil?: Text;
  readonly async?: AsyncOutline;
}

interface AsyncOutline {
  readonly pointer: string;
  readonly match?: Text;
  readonly event?: Text;
  readonly link?: Text;
  readonly answers: boolean;
  /** Equal for edges that share a wait, whatever their steps. */
  readonly identity: string;
  readonly onTimeout: boolean;
}

export type JsonObject = { readonly [key: string]: Json };

/** Takes a document apart, whatever it is. */
export function outlineOf(document: Json): Outline {
  const root = objectOf(document);
  const triggers = listOf(root, "triggers").map((value, index) => {
    const pointer = `/triggers/${index}`;
    return { pointer, value, ...text(objectOf(value), "expression", pointer) };
  });
  const steps = new Map<string, StepOutline>();
  for (const [id, value] of Object.entries(objectOf(member(root, "steps")))) {
    steps.set(id, stepOf(objectOf(value), `/steps${pointerStep(id)}`));
  }
  const cancels = listOf(root, "cancel").flatMap((value, index) => {
    const condition = text(objectOf(value), "if", `/cancel/${index}`).if;
    return condition === undefined ? [] : [condition];
  });
  const batchIf = text(objectOf(member(root, "batch")), "if", "/batch").if;
  return {
    triggers,
    steps,
    cancels,
    values: valuesOf(root),
    batches: member(root, "batch") !== undefined,
    ...(batchIf === undefined ? {} : { batchIf }),
    ...text(root, "onFailure", ""),
    ...text(root, "output", ""),
  };
}

function valuesOf(root: JsonObject): readonly Text[] {
  const owners = ["idempotency", "singleton", "rateLimit", "throttle", "batch", "debounce"].map(
    (control) => [member(root, control), `/${control}`] as const,
  );
  const limits = listOf(root, "concurrency").map((limit, index) => [limit, `/concurrency/${index}`] as const);
  const keys = [...owners, ...limits].map(([owner, pointer]) => text(objectOf(owner), "key", pointer).key);
  return [...keys, text(root, "priority", "").priority].filter((value) => value !== undefined);
}

/** The steps that edges do not lead to: the `onFailure` step, and those that undo others. */
export function apartOf({ steps, onFailure }: Pick<Outline, "steps" | "onFailure">): ReadonlySet<string> {
  const undoing = [...steps.values()].flatMap(({ compensate }) => compensate?.text ?? []);
  return new Set([...(onFailure === undefined ? [] : [onFailure.text]), ...undoing]);
}

function stepOf(step: JsonObject, pointer: string): StepOutline {
  const edges = listOf(step, "after").map((value, index): EdgeOutline => {
    const edge = objectOf(value);
    const place = `${pointer}/after/${index}`;
    return {
      pointer: place,
      value,
      ...asyncOf(edge, `${place}/async`),
      ...text(edge, "step", place),
      ...text(edge, "on", place),
      ...text(edge, "if", place),
      ...text(edge, "waitUntil", place),
    };
  });
  const join = member(step, "join");
  const data = member(objectOf(member(step, "invoke")), "data");
  return {
    pointer,
    edges,
    invoking: member(step, "invoke") !== undefined,
    invokes: data === undefined ? [] : textsIn(data, `${pointer}/invoke/data`),
    ...text(step, "id", pointer),
    ...text(step, "path", pointer),
    ...text(step, "compensate", pointer),
    ...(join === undefined ? {} : { join }),
    ...forEachOf(step, `${pointer}/forEach`),
  };
}

function forEachOf(step: JsonObject, pointer: string): { readonly forEach?: ForEachOutline } {
  const value = member(step, "forEach");
  if (value === undefined) return {};
  const forEach = objectOf(value);
  const onError = member(forEach, "onError");
  const tolerate = member(forEach, "tolerate");
  return {
    forEach: {
      pointer,
      ...text(forEach, "items", pointer),
      ...(onError === undefined ? {} : { onError }),
      ...(tolerate === undefined ? {} : { tolerate }),
    },
  };
}

function asyncOf(edge: JsonObject, pointer: string): { readonly async?: AsyncOutline } {
  const value = member(edge, "async");
  if (value === undefined) return {};
  const { onTimeout, ...shared } = objectOf(value);
  const identity = canonicalJson(shared);
  return {
    async: {
      pointer,
      identity,
      onTimeout: onTimeout === true,
      answers: member(objectOf(value), "answers") !== undefined,
      ...text(objectOf(value), "match", pointer),
      ...text(objectOf(value), "event", pointer),
      ...text(objectOf(value), "link", pointer),
    },
  };
}

/** Every text in a value, at any depth. */
function textsIn(value: Json, pointer: string): readonly Text[] {
  if (typeof value === "string") return [{ text: value, pointer }];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value as JsonObject).flatMap(([key, member]) =>
    textsIn(member, pointer + pointerStep(key)),
  );
}

function text<Key extends string>(object: JsonObject, key: Key, pointer: string): { [K in Key]?: Text } {
  const value = member(object, key);
  return typeof value === "string"
    ? ({ [key]: { text: value, pointer: `${pointer}/${key}` } } as { [K in Key]?: Text })
    : {};
}

export function listOf(object: JsonObject, key: string): readonly Json[] {
  const value = member(object, key);
  return Array.isArray(value) ? (value as readonly Json[]) : [];
}

export function objectOf(value: Json | undefined): JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}

export function member(object: JsonObject, key: string): Json | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}
