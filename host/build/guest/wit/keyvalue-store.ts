// What `import … from "wasi:keyvalue/store"` gives: the interface's names in camel case.
import { tellMethods, told } from "./told.ts";

const { host, reachOutside } = __millrace;
const store = host.kv?.store;
const what = "the key-value store";
if (store !== undefined) tellMethods(what, store.Bucket.prototype as object);

/** The bucket of that name, of this function alone; `default` is one. */
export function open(identifier: string): unknown {
  reachOutside(what);
  return told(what, () => store?.open(String(identifier)));
}

export const Bucket = store?.Bucket;

// oxlint-disable-next-line import/no-default-export -- a world's interface is a default export
export default { open, Bucket };
