// What `import … from "wasi:keyvalue/atomics"` gives.
import type { Bucket } from "millrace:guest/host";
import { tellMethods, told } from "./told.ts";

const { host } = __millrace;
const atomics = host.kv?.atomics;
const what = "the key-value store";
if (atomics !== undefined) tellMethods(what, atomics.Cas.prototype as object);

/** A key's value as it is now, for a swap that is done only if nobody changed it. */
export const Cas = {
  new: (bucket: Bucket, key: string): unknown => told(what, () => atomics?.Cas.new(bucket, String(key))),
};

/** Throws `{payload: {tag: "cas-failed", val}}` with a newer Cas where somebody changed the value. */
export function swap(cas: object, value: Uint8Array): void {
  told(what, () => atomics?.swap(cas, value));
}

export function increment(bucket: Bucket, key: string, delta: number): number | undefined {
  return told(what, () => atomics?.increment(bucket, String(key), delta));
}

// oxlint-disable-next-line import/no-default-export -- a world's interface is a default export
export default { Cas, swap, increment };
