import { describe } from "vitest";
import { capabilitiesContract } from "./capabilities-contract.ts";
import { callsContract } from "./calls-contract.ts";
import { configContract } from "./config-contract.ts";
import { engineContract } from "./engine-contract.ts";
import { httpContract } from "./http-contract.ts";
import { kvContract } from "./kv-contract.ts";
import { limitsContract } from "./limits-contract.ts";
import { tmpContract } from "./tmp-contract.ts";
import { createEngine, skipped } from "./wasmtime/engine.ts";

describe.skipIf(skipped)("on Wasmtime", () => {
  engineContract("wasmtime", createEngine);
  limitsContract("wasmtime", createEngine);
  capabilitiesContract("wasmtime", createEngine);
  callsContract("wasmtime", createEngine);
  httpContract("wasmtime", createEngine);
  kvContract("wasmtime", createEngine);
  configContract("wasmtime", createEngine);
  tmpContract("wasmtime", createEngine);
});
