import { type CelList, type CelValue, celListConcat } from "@bufbuild/cel";
import { listMark } from "./json-view.ts";

/**
 * Concatenates two lists. `map` and `filter` build theirs one element at a time: such an element is put behind the
 * ones before it in the same array, so that a list of n elements costs n and not n squared.
 */
export function concatLists(left: CelList, right: CelList, spend: (units: number) => void): CelList {
  if (right.size === 0) return left;
  if (left.size > 0 && !(left instanceof GrowingList)) return celListConcat(left, right);
  if (right.size > 1) return celListConcat(left, right);
  const base = left instanceof GrowingList ? left : new GrowingList([], spend);
  return base.with(right.get(0) as CelValue) as unknown as CelList;
}

/** The first elements of an array that others may go on filling behind them. */
class GrowingList {
  readonly size: number;
  readonly #array: CelValue[];
  readonly #spend: (units: number) => void;

  constructor(array: CelValue[], spend: (units: number) => void) {
    this.size = array.length;
    this.#array = array;
    this.#spend = spend;
  }

  /** This list and one more element. */
  with(element: CelValue): GrowingList {
    // Only the list that ends where the array ends may fill it; any other would change its neighbour.
    const array = this.size === this.#array.length ? this.#array : this.#array.slice(0, this.size);
    this.#spend(array === this.#array ? 1 : this.size);
    array.push(element);
    return new GrowingList(array, this.#spend);
  }

  get(index: number): CelValue | undefined {
    this.#spend(1);
    return index < this.size ? this.#array[index] : undefined;
  }

  *values(): Generator<CelValue> {
    for (let index = 0; index < this.size; index += 1) {
      this.#spend(1);
      yield this.#array[index] as CelValue;
    }
  }

  [Symbol.iterator](): Generator<CelValue> {
    return this.values();
  }
}

Object.defineProperty(GrowingList.prototype, listMark, { value: true });
