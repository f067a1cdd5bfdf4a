import { describe } from "vitest";
import { capabilitiesContract } from "./capabilities-contract.ts";
import { engineContract } from "./engine-contract.ts";
import { limitsContract } from "./limits-contract.ts";
import { createEngine, skipped } from "./wasmtime/engine.ts";

describe.skipIf(skipped)("on Wasmtime", () => {
  engineContract("wasmtime", createEngine);
  limitsContract("wasmtime", createEngine);
  capabilitiesContract("wasmtime", createEngine);
});
