import { outsideOf } from "./ask.ts";
import { hostFunction, none, ok } from "./host-function.ts";
import type { HostInterfaces } from "./host-function.ts";

const error = "variant{upstream(string), io(string)}";

/** wasi:config: the names and values of the step's document. */
export const configInterfaces: HostInterfaces = {
  "wasi:config/store": {
    get: hostFunction<[string]>(`(string) -> result<option<string>, ${error}>`, (world, [name]) => {
      const found = outsideOf(world).config.find(([key]) => key === name);
      return ok(found === undefined ? none : [1, found[1]]);
    }),
    "get-all": hostFunction(`() -> result<list<tuple<string, string>>, ${error}>`, (world) =>
      ok(outsideOf(world).config),
    ),
  },
};
