import type { CelInput, CelList, CelMap } from "@bufbuild/cel";

/** How much work one evaluation may still do; `spend` throws when it is used up. */
export interface Budget {
  readonly exhausted: boolean;
  /** Pays for one round of a loop; dearer once long strings are in play, since each round may scan one. */
  round(): void;
  /** Pays for the look at one string. */
  text(length: number): void;
  spend(units: number): void;
}

/** Characters that one unit of work scans. */
const charactersAUnit = 64;

/** A budget of so many units; a unit is about one step of a loop. */
export function createBudget(units: number): Budget {
  let left = units;
  let longest = 0;
  const spend = (spent: number): void => {
    left -= spent;
    if (left < 0) throw new RangeError("the expression takes too much work");
  };
  return {
    get exhausted() {
      return left < 0;
    },
    round: () => spend(1 + longest),
    text(length) {
      const weight = Math.floor(length / charactersAUnit);
      if (weight > longest) longest = weight;
      spend(1 + weight);
    },
    spend,
  };
}

/** Marks that the evaluator looks for; a view carries them to be taken as it is, without a copy. */
const mapMark = Symbol.for("@bufbuild/cel/map");
const listMark = Symbol.for("@bufbuild/cel/list");

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

class MapView {
  readonly #object: Readonly<Record<string, unknown>>;
  readonly #budget: Budget;

  constructor(object: Readonly<Record<string, unknown>>, budget: Budget) {
    this.#object = object;
    this.#budget = budget;
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
