// What `import … from "wasi:keyvalue/batch"` gives.
import type { Bucket } from "millrace:guest/host";
import { told } from "./told.ts";

const batch = __millrace.host.kv?.batch;
const what = "the key-value store";

export function getMany(bucket: Bucket, keys: readonly string[]): unknown {
  return told(what, () => batch?.getMany(bucket, keys));
}

export function setMany(bucket: Bucket, pairs: readonly (readonly [string, Uint8Array])[]): void {
  told(what, () => batch?.setMany(bucket, pairs));
}

export function deleteMany(bucket: Bucket, keys: readonly string[]): void {
  told(what, () => batch?.deleteMany(bucket, keys));
}

// oxlint-disable-next-line import/no-default-export -- a world's interface is a default export
export default { getMany, setMany, deleteMany };
