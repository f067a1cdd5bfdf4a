// What a JavaScript step imports by the names of WASI, for editors and tsc:
//   /// <reference types="millrace/wit/javascript.d.ts" />
// Errors of the interfaces are thrown: an Error with the interface's own value as its `payload`.

declare module "wasi:config/store" {
  /** The value of that name; null when there is none. */
  export function get(key: string): string | null;
  export function getAll(): [name: string, value: string][];
  const store: { readonly get: typeof get; readonly getAll: typeof getAll };
  export default store;
}

declare module "wasi:keyvalue/store" {
  /** The keys and values of the function, the same for all of its steps and runs. */
  export interface Bucket {
    get(key: string): Uint8Array | null;
    set(key: string, value: Uint8Array): void;
    delete(key: string): void;
    exists(key: string): boolean;
    /** A page of keys; `cursor`, while there are more, is for the next one. */
    listKeys(cursor: string | null): { keys: string[]; cursor: string | null };
  }
  /** The one bucket of the function is called "default". */
  export function open(identifier: string): Bucket;
  const store: { readonly open: typeof open };
  export default store;
}

declare module "wasi:keyvalue/atomics" {
  import type { Bucket } from "wasi:keyvalue/store";

  export interface Cas {
    /** The value when it was made, or what somebody else set since. */
    current(): Uint8Array | null;
  }
  export const Cas: { new: (bucket: Bucket, key: string) => Cas };
  /** Throws where somebody changed the value: `payload` is `{tag: "cas-failed", val}`, with a Cas for another try. */
  export function swap(cas: Cas, value: Uint8Array): void;
  /** Adds to a whole number, which is kept as text; gives the sum. */
  export function increment(bucket: Bucket, key: string, delta: number): number;
  const atomics: {
    readonly Cas: typeof Cas;
    readonly swap: typeof swap;
    readonly increment: typeof increment;
  };
  export default atomics;
}

declare module "wasi:keyvalue/batch" {
  import type { Bucket } from "wasi:keyvalue/store";

  export function getMany(bucket: Bucket, keys: string[]): ([key: string, value: Uint8Array] | null)[];
  export function setMany(bucket: Bucket, pairs: [key: string, value: Uint8Array][]): void;
  export function deleteMany(bucket: Bucket, keys: string[]): void;
  const batch: {
    readonly getMany: typeof getMany;
    readonly setMany: typeof setMany;
    readonly deleteMany: typeof deleteMany;
  };
  export default batch;
}
