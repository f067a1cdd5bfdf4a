import { describe, test } from "vitest";
import { createWasmtimeEngine } from "../../../runtime/wasm/wasmtime/engine.ts";
import { loadBinding } from "../../../runtime/wasm/wasmtime/load.ts";
import { engineContract } from "./engine-contract.ts";
import { limitsContract } from "./limits-contract.ts";

const loaded = loadBinding();

if (loaded.ok) {
  const { binding } = loaded;
  engineContract("wasmtime", (options) => createWasmtimeEngine({ binding, ...options }));
  limitsContract("wasmtime", (options) => createWasmtimeEngine({ binding, ...options }));
} else {
  describe("engine wasmtime", () => {
    test.skipIf(process.env["CI"] === undefined)("is there", () => {
      throw new Error(`${loaded.reason}. Run npm run build:wasmtime.`);
    });
  });
}
