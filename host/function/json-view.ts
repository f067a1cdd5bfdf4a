import type { CelInput, CelList, CelMap } from "@bufbuild/cel";
import type { Json } from "../../runtime/json.ts";
import type { Budget } from "./budget.ts";

/** The marks by which the evaluator knows its maps and lists; what carries one is taken as it is, without a copy. */
const mapMark = Symbol.for("@bufbuild/cel/map");
export const listMark = Symbol.for("@bufbuild/cel/list");

/** A JSON value as the evaluator takes it: objects and arrays are seen through, not converted. */
export function viewJson(value: unknown, budget: Budget): CelInput | undefined {
  switch (typeof value) {
    case "string":
      budget.text(value.length);
      return value;
    case "number":
    case "boolean":
      return value;
    case "object":
      if (value === null) return null;
      return Array.isArray(value)
        ? (new ListView(value, budget) as unknown as CelList)
        : (new MapView(value as Readonly<Record<string, unknown>>, budget) as unknown as CelMap);
    default:
      return undefined;
  }
}

/** The object or array that a view is of; undefined for what is no view. */
export function jsonBehind(value: unknown): Json | undefined {
  if (value instanceof MapView || value instanceof ListView) return value.behind as Json;
  return undefined;
}

class MapView {
  readonly #object: Readonly<Record<string, unknown>>;
  readonly #budget: Budget;

  constructor(object: Readonly<Record<string, unknown>>, budget: Budget) {
    this.#object = object;
    this.#budget = budget;
  }

  get behind(): unknown {
    return this.#object;
  }

  get size(): number {
    return this.#keys().length;
  }

  get(key: unknown): CelInput | undefined {
    this.#budget.spend(1);
    return this.has(key) ? viewJson(this.#object[key as string], this.#budget) : undefined;
  }

  has(key: unknown): boolean {
    return typeof key === "string" && Object.hasOwn(this.#object, key);
  }

  *keys(): Generator<string> {
    for (const key of this.#keys()) {
      this.#budget.text(key.length);
      yield key;
    }
  }

  *values(): Generator<CelInput | undefined> {
    for (const key of this.keys()) yield this.get(key);
  }

  *entries(): Generator<[string, CelInput | undefined]> {
    for (const key of this.keys()) yield [key, this.get(key)];
  }

  forEach(callback: (value: CelInput | undefined, key: string, map: this) => void, self?: unknown): void {
    for (const [key, value] of this.entries()) callback.call(self, value, key, this);
  }

  [Symbol.iterator](): Generator<[string, CelInput | undefined]> {
    return this.entries();
  }

  #keys(): string[] {
    const keys = Object.keys(this.#object);
    this.#budget.spend(keys.length);
    return keys;
  }
}

class ListView {
  readonly #array: readonly unknown[];
  readonly #budget: Budget;

  constructor(array: readonly unknown[], budget: Budget) {
    this.#array = array;
    this.#budget = budget;
  }

  get behind(): unknown {
    return this.#array;
  }

  get size(): number {
    return this.#array.length;
  }

  get(index: number): CelInput | undefined {
    this.#budget.spend(1);
    return viewJson(this.#array[index], this.#budget);
  }

  *values(): Generator<CelInput | undefined> {
    for (const element of this.#array) {
      this.#budget.spend(1);
      yield viewJson(element, this.#budget);
    }
  }

  [Symbol.iterator](): Generator<CelInput | undefined> {
    return this.values();
  }
}

Object.defineProperty(MapView.prototype, mapMark, { value: true });
Object.defineProperty(ListView.prototype, listMark, { value: true });
