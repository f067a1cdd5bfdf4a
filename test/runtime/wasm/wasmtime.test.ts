import { describe, expect, test } from "vitest";
import type { AttemptResult } from "../../../runtime/driver.ts";
import type { EngineChoice } from "../../../runtime/wasm/choice.ts";
import { capabilitiesContract } from "./capabilities-contract.ts";
import { callsContract } from "./calls-contract.ts";
import { configContract } from "./config-contract.ts";
import { engineContract } from "./engine-contract.ts";
import { httpContract } from "./http-contract.ts";
import { kvContract } from "./kv-contract.ts";
import { limitsContract } from "./limits-contract.ts";
import { createHarness } from "./harness.ts";
import { tmpProgram } from "./tmp-component.ts";
import { tmpContract } from "./tmp-contract.ts";
import { createEngine, skipped } from "./wasmtime/engine.ts";

describe.skipIf(skipped)("a step with a folder /tmp, which Wasmtime does not have yet", () => {
  const runOn = async (engine: EngineChoice): Promise<AttemptResult> => {
    const harness = createHarness(() => engine);
    try {
      return await harness.run(await tmpProgram((fs) => [fs.mkdir("a")]), { capabilities: { tmp: true } });
    } finally {
      await harness.close();
    }
  };
  test("runs on v8 where the engine is left to the host", async () => {
    expect(await runOn("auto")).toMatchObject({ ok: true });
  });
  test("fails where Wasmtime was asked for by name", async () => {
    expect(await runOn("wasmtime")).toMatchObject({ ok: false, failure: { code: "ERR_ENGINE_UNAVAILABLE" } });
  });
});

// The engine has no /tmp yet: asked for by name until it has.
const asked = process.env["MILLRACE_TMP"] === "wasmtime";

describe.skipIf(skipped)("on Wasmtime", () => {
  engineContract("wasmtime", createEngine);
  limitsContract("wasmtime", createEngine);
  capabilitiesContract("wasmtime", createEngine);
  callsContract("wasmtime", createEngine);
  httpContract("wasmtime", createEngine);
  kvContract("wasmtime", createEngine);
  configContract("wasmtime", createEngine);
});

describe.skipIf(skipped || !asked)("on Wasmtime", () => tmpContract("wasmtime", createEngine));
