import { homedir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { cacheFolder as engineFolder } from "../runtime/wasm/wasmtime/place.ts";
import { cacheFolder } from "./cache-folder.ts";

const own = join(homedir(), ".cache", "millrace");

test.each([
  ["not set", {}, own],
  ["empty", { XDG_CACHE_HOME: "" }, own],
  ["relative", { XDG_CACHE_HOME: "cache" }, own],
  ["absolute", { XDG_CACHE_HOME: "/var/tmp/of-ci" }, join("/var/tmp/of-ci", "millrace")],
])("what is kept lies outside of the clone where XDG_CACHE_HOME is %s", (_, env, folder) => {
  expect(cacheFolder(env)).toBe(folder);
  expect(engineFolder(env)).toBe(join(folder, "wasmtime"));
});
