import { describe, expect, test } from "vitest";
import { chooseEngine } from "../../../../runtime/wasm/choice.ts";
import { loadBinding } from "../../../../runtime/wasm/wasmtime/load.ts";
import { skipped } from "./engine.ts";

/** Nothing is there under this environment. */
const nowhere = { MILLRACE_WASMTIME_BINDING: "/nowhere/wasmtime.node" };

describe("the choice of an engine", () => {
  test("falls on v8 where wasmtime does not load, and says why", () => {
    expect(chooseEngine("auto", nowhere)).toEqual({
      name: "v8",
      why: expect.stringContaining("/nowhere/wasmtime.node can't be loaded"),
    });
  });

  test("names the package and the build that are not there", () => {
    expect(loadBinding({ XDG_CACHE_HOME: "/nowhere" })).toEqual({
      ok: false,
      reason: expect.stringMatching(/@millrace\/wasmtime-\w+-\w+.* is not installed.*npm run build:wasmtime/),
    });
  });

  test("is refused where wasmtime is asked for and does not load", () => {
    expect(() => chooseEngine("wasmtime", nowhere)).toThrow(
      expect.objectContaining({ code: "ERR_ENGINE_UNAVAILABLE" }),
    );
  });

  test("is v8 where that is asked for", () => {
    expect(chooseEngine("v8")).toMatchObject({ name: "v8" });
  });

  test.skipIf(skipped)("falls on wasmtime where it loads", () => {
    expect(chooseEngine("auto")).toMatchObject({
      name: "wasmtime",
      why: expect.stringMatching(/^loaded from /),
    });
    expect(chooseEngine("wasmtime")).toMatchObject({ name: "wasmtime" });
  });
});
