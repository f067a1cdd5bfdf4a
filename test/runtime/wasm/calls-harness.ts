import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Capabilities } from "../../../runtime/capabilities.ts";
import type { Json } from "../../../runtime/json.ts";
import type { Limits } from "../../../runtime/limits.ts";
import type { HostAnswer, HostCall, HostCalls, WithBytes } from "../../../runtime/wasm/calls.ts";
import type { Engine, EngineResult, StepBinary } from "../../../runtime/wasm/engine.ts";
import { inspectStep } from "../../../runtime/wasm/grants.ts";
import { digest } from "./components.ts";
import { stepInput, testLimits } from "./harness.ts";
import type { CreateEngine } from "./harness.ts";

/** How the code of a guest is run. */
interface CallsOptions {
  readonly calls?: HostCalls;
  readonly capabilities?: Capabilities;
  readonly limits?: Partial<Limits>;
  readonly signal?: AbortSignal;
}

/** Runs the guest of `callsGuest`, or another binary, on an engine with whatever answers its calls. */
export interface CallsHarness {
  readonly engine: Engine;
  /** Runs code in the guest, with everything granted that asks the host. */
  run(code: string, options?: CallsOptions): Promise<EngineResult>;
  runBinary(bytes: Uint8Array, data: Json, options?: CallsOptions): Promise<EngineResult>;
  close(): Promise<void>;
}

const granted: Capabilities = {
  http: [{ scheme: "https", host: "*", ports: [443], private: false }],
  config: {},
  kv: true,
};

export function createCallsHarness(
  createEngine: CreateEngine,
  guest: () => Uint8Array,
  parallelism = 2,
): CallsHarness {
  const folder = mkdtempSync(join(tmpdir(), "millrace-calls-"));
  const engine = createEngine({ cacheDir: folder, parallelism });
  const binaries = new WeakMap<Uint8Array, StepBinary>();
  const binaryOf = (bytes: Uint8Array): StepBinary => {
    const found = binaries.get(bytes);
    if (found !== undefined) return found;
    const inspection = inspectStep(bytes, granted);
    if ("code" in inspection) throw new Error(inspection.message);
    const binary = { ...inspection, sha256: digest(bytes), load: () => Promise.resolve(bytes) };
    binaries.set(bytes, binary);
    return binary;
  };
  const runBinary: CallsHarness["runBinary"] = (bytes, data, { limits, capabilities, ...options } = {}) =>
    engine.execute(binaryOf(bytes), {
      input: stepInput({ event: { ...stepInput().event, data } }),
      limits: { ...testLimits, ...limits },
      capabilities: { ...granted, ...capabilities },
      ...options,
    });
  return {
    engine,
    runBinary,
    run: (code, options) => runBinary(guest(), code, options),
    async close() {
      await engine.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** What the guest's code returned; throws what it ended with else. */
export function returned({ ending }: EngineResult): Json {
  if (ending.kind !== "returned") throw new Error(JSON.stringify(ending));
  return JSON.parse(ending.output) as Json;
}

/** Answers each call by its operation with a fixed answer. */
export function answering(answers: Partial<Record<HostCall["op"], WithBytes<HostAnswer>>>): HostCalls {
  return ({ head }) => {
    const answer = answers[head.op];
    return answer === undefined
      ? Promise.reject(new Error(`there is no answer to ${head.op}`))
      : Promise.resolve(answer);
  };
}

/** Never answers, and keeps the signals of the calls. */
export function silent(): { readonly calls: HostCalls; readonly signals: AbortSignal[] } {
  const signals: AbortSignal[] = [];
  return {
    signals,
    calls: (_, signal) => {
      signals.push(signal);
      return new Promise(() => undefined);
    },
  };
}
