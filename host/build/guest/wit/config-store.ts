// What `import … from "wasi:config/store"` gives.
import { told } from "./told.ts";

const { host, reachOutside } = __millrace;
const store = host.config?.store;
const what = "the configuration";

/** The value of that name; null when there is none. */
export function get(key: string): string | null | undefined {
  reachOutside(what);
  return told(what, () => store?.get(String(key)));
}

export function getAll(): readonly [string, string][] | undefined {
  reachOutside(what);
  return told(what, () => store?.getAll());
}

// oxlint-disable-next-line import/no-default-export -- a world's interface is a default export
export default { get, getAll };
