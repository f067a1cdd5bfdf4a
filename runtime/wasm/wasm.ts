import type { ArtifactSource, Attempt, AttemptResult, Driver, StepFailure, StepProgram } from "../driver.ts";
import { chooseEngine, createEngine } from "./choice.ts";
import type { EngineChoice } from "./choice.ts";
import { typedStepInput } from "./typed-extras.ts";
import type { Engine, StepBinary } from "./engine.ts";
import { failure } from "../failure.ts";
import type { Limits } from "../limits.ts";
import { givenSecrets, type Secrets } from "../secrets.ts";
import { inspect } from "./component.ts";
import { refusal } from "./grants.ts";
import { type HostServices, openHostCalls } from "./host-calls.ts";
import { attemptResult } from "./result.ts";
import { unlessCancelled } from "./unless-cancelled.ts";

/** What the driver is created with. */
export interface WasmDriverOptions {
  readonly artifacts: ArtifactSource;
  /** Folder for what engines compile. */
  readonly cacheDir: string;
  /** Attempts at once; the number of cores by default. */
  readonly parallelism?: number;
  /** Fuel that each attempt gets, counted on wasmtime alone; not counted by default. */
  readonly fuel?: number;
  /** The engine that executes, or which it shall be; "auto" by default. The driver closes it. */
  readonly engine?: Engine | EngineChoice;
  /** The operator's; none by default. */
  readonly secrets?: Secrets;
  /** What answers steps with `http` and `kv`. */
  readonly services?: HostServices;
}

/** A binary that was asked for, and whether the engine had it compiled once: from then on it has it soon. */
interface Remembered {
  readonly binary: Promise<StepBinary | StepFailure>;
  ready: boolean;
}

/** Inspected binaries that are remembered. */
const rememberedBinaries = 10_000;

/** Executes steps that are WebAssembly components, or core modules built as WASI preview 1 commands. */
export function createWasmDriver(options: WasmDriverOptions): Driver {
  const { engine: wanted = "auto", secrets = new Map(), services = {} } = options;
  const chosen = typeof wanted === "string" ? chooseEngine(wanted) : wanted;
  const engine = "why" in chosen ? createEngine(chosen, options) : chosen;
  const binaries = new Map<string, Remembered>();
  const running = new Set<Promise<AttemptResult>>();

  const remembered = (sha256: string): Remembered => {
    const found = binaries.get(sha256);
    if (found !== undefined) return found;
    const added: Remembered = { binary: inspectArtifact(sha256, options.artifacts), ready: false };
    const [oldest] = binaries.keys();
    if (binaries.size >= rememberedBinaries && oldest !== undefined) binaries.delete(oldest);
    binaries.set(sha256, added);
    // A missing artifact may be pushed later.
    const forget = (): void => void binaries.delete(sha256);
    added.binary.then((result) => "code" in result && forget(), forget);
    return added;
  };

  /** The binary, when its engine is ready for it; the same one may be the program of steps with other grants. */
  const prepared = async (
    { sha256, capabilities }: StepProgram,
    limits: Limits,
  ): Promise<StepBinary | StepFailure> => {
    if (sha256 === undefined)
      return failure("ERR_ARTIFACT_MISSING", "The function version names no component for this step.");
    const known = remembered(sha256);
    const binary = await known.binary;
    if ("code" in binary) return binary;
    const refused = refusal(binary.imports, capabilities) ?? (await engine.prepare(binary, limits));
    if (refused !== undefined) return refused;
    known.ready = true;
    return binary;
  };

  /** A cancelled attempt waits for no compiler; others may go on to. */
  const binaryOf = async ({ program, limits, signal }: Attempt): Promise<StepBinary | StepFailure> => {
    const known = program.sha256 === undefined ? undefined : binaries.get(program.sha256);
    if (known?.ready !== true) return unlessCancelled(prepared(program, limits), signal);
    const binary = await known.binary;
    return "code" in binary ? binary : (refusal(binary.imports, program.capabilities) ?? binary);
  };

  const run = async (asked: Attempt): Promise<AttemptResult> => {
    const { program, input, limits, signal } = asked;
    const binary = await binaryOf(asked);
    if ("code" in binary) return { ok: false, failure: binary, logs: [] };
    const attempt = {
      input: binary.mode === "typed" ? typedStepInput(input) : input,
      limits,
      ...(signal && { signal }),
    };
    const { capabilities } = program;
    // What most steps need: nothing.
    if (capabilities === undefined) return attemptResult(await engine.execute(binary, attempt));
    const given = givenSecrets(capabilities, secrets, input.ctx);
    if ("code" in given) return { ok: false, failure: given, logs: [] };
    const { functionId } = input.ctx;
    const open = openHostCalls(services, { capabilities, limits, functionId, secrets: given.bound });
    const granted = { ...capabilities, env: { ...capabilities.env, ...given.env } };
    try {
      const calls = open && { calls: open.calls };
      return attemptResult(await engine.execute(binary, { ...attempt, capabilities: granted, ...calls }));
    } finally {
      await open?.close();
    }
  };

  return {
    name: "wasm",
    ...("why" in chosen && { engine: { name: chosen.name, why: chosen.why } }),
    async prepare(program, limits) {
      const binary = await prepared(program, limits);
      return "code" in binary ? binary : undefined;
    },
    execute(attempt) {
      const result = run(attempt);
      running.add(result);
      const forget = (): void => void running.delete(result);
      result.then(forget, forget);
      return result;
    },
    async close() {
      await engine.close();
      // Those that the engine had not been given yet find it closed.
      await Promise.allSettled(running);
    },
  };
}

async function inspectArtifact(sha256: string, artifacts: ArtifactSource): Promise<StepBinary | StepFailure> {
  const load = (): Promise<Uint8Array | undefined> => artifacts(sha256);
  const bytes = await load();
  if (bytes === undefined) {
    return failure("ERR_ARTIFACT_MISSING", `The component ${sha256} is not in the store.`);
  }
  const inspection = inspect(bytes);
  if ("code" in inspection) return inspection;
  return { ...inspection, sha256, load };
}
