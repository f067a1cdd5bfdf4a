const nothing = new Map<never, never>();

/** A map that is mostly empty: it takes memory once it has something. A run has several, and most runs need none. */
export class SparseMap<K, V> {
  #map: Map<K, V> | undefined;

  get size(): number {
    return this.#map?.size ?? 0;
  }
  get(key: K): V | undefined {
    return this.#map?.get(key);
  }
  has(key: K): boolean {
    return this.#map?.has(key) ?? false;
  }
  set(key: K, value: V): void {
    (this.#map ??= new Map()).set(key, value);
  }
  delete(key: K): void {
    this.#map?.delete(key);
  }
  clear(): void {
    this.#map?.clear();
  }
  keys(): MapIterator<K> {
    return this.#all.keys();
  }
  values(): MapIterator<V> {
    return this.#all.values();
  }
  [Symbol.iterator](): MapIterator<[K, V]> {
    return this.#all[Symbol.iterator]();
  }

  get #all(): Pick<Map<K, V>, "keys" | "values" | typeof Symbol.iterator> {
    return this.#map ?? nothing;
  }
}
