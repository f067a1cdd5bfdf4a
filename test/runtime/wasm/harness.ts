import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Capabilities } from "../../../runtime/capabilities.ts";
import type { AttemptResult, Driver, StepFailure, StepProgram } from "../../../runtime/driver.ts";
import type { StepInput } from "../../../runtime/input.ts";
import type { Limits } from "../../../runtime/limits.ts";
import type { Engine } from "../../../runtime/wasm/engine.ts";
import { createWasmDriver, type WasmDriverOptions } from "../../../runtime/wasm/wasm.ts";
import { digest } from "./components.ts";

/** Makes the engine under test. */
export type CreateEngine = (options: { readonly cacheDir: string; readonly parallelism: number }) => Engine;

/** Limits that a fast step keeps and that a test can wait for. */
export const testLimits: Limits = {
  wallMs: 10_000,
  memoryBytes: 64 * 1024 * 1024,
  outputBytes: 4 * 1024 * 1024,
  logBytes: 16 * 1024,
  tmpBytes: 1024 * 1024,
  httpConcurrent: 4,
  httpBodyBytes: 1024 * 1024,
};

/** An input like a host's. */
export function stepInput(parts: Partial<StepInput> = {}): StepInput {
  return {
    event: { id: "event-1", name: "user/signed.up", data: { plan: "free" }, ts: 1_700_000_000_000 },
    steps: {},
    ctx: {
      runId: "run-1",
      functionId: "welcome",
      functionVersion: "0123456789ab",
      stepId: "greet",
      attempt: 1,
      deadline: 1_700_000_030_000,
      idempotencyKey: "run-1/greet",
    },
    ...parts,
  };
}

/** How one attempt is to be run. */
interface RunOptions {
  readonly input?: StepInput;
  readonly limits?: Partial<Limits>;
  readonly capabilities?: Capabilities;
  readonly signal?: AbortSignal;
}

/** A driver over the engine under test, with a store of artifacts in memory and a cache folder of its own. */
export interface Harness {
  readonly driver: Driver;
  readonly cacheDir: string;
  put(artifact: Uint8Array): StepProgram;
  prepare(artifact: Uint8Array, limits?: Partial<Limits>): Promise<StepFailure | undefined>;
  run(artifact: Uint8Array, options?: RunOptions): Promise<AttemptResult>;
  close(): Promise<void>;
}

/** A harness; `cacheDir` continues with the cache of an earlier one. `more`: what stands behind granted imports. */
export function createHarness(
  createEngine: CreateEngine,
  parallelism = 2,
  cacheDir?: string,
  more: Pick<WasmDriverOptions, "services" | "secrets"> = {},
): Harness {
  const folder = cacheDir ?? mkdtempSync(join(tmpdir(), "millrace-engine-"));
  const artifacts = new Map<string, Uint8Array>();
  const driver = createWasmDriver({
    artifacts: (sha256) => Promise.resolve(artifacts.get(sha256)),
    cacheDir: folder,
    engine: createEngine({ cacheDir: folder, parallelism }),
    ...more,
  });
  const put = (artifact: Uint8Array): StepProgram => {
    const sha256 = digest(artifact);
    artifacts.set(sha256, artifact);
    return { runtime: { type: "wasm" }, sha256 };
  };
  return {
    driver,
    cacheDir: folder,
    put,
    prepare: (artifact, limits) => driver.prepare(put(artifact), { ...testLimits, ...limits }),
    run: (artifact, { input = stepInput(), limits, capabilities, signal } = {}) =>
      driver.execute({
        program: { ...put(artifact), ...(capabilities && { capabilities }) },
        input,
        limits: { ...testLimits, ...limits },
        ...(signal && { signal }),
      }),
    async close() {
      await driver.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
