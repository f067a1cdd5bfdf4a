import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { Capabilities } from "../../capabilities.ts";
import type { StepFailure } from "../../driver.ts";
import type { Engine, StepBinary } from "../engine.ts";
import { hermetic } from "../hermetic.ts";
import { failure } from "../../failure.ts";
import type { StepInput } from "../../input.ts";
import type { Limits } from "../../limits.ts";
import { createTranslationCache } from "./cache.ts";
import { countsCpu } from "./cpu-watch.ts";
import { createPool } from "./pool.ts";
import { createPrograms } from "./programs.ts";
import type { Program, RunRequest } from "./protocol.ts";
import { createTranslator } from "./translator.ts";
import { typedInput } from "./typed-input.ts";

/** What the engine is created with. */
export interface V8EngineOptions {
  /** Translated components are kept in its folder `v8`, the compiled code of threads in `code`. */
  readonly cacheDir: string;
  /** Attempts at once; the number of cores by default. */
  readonly parallelism?: number;
  /** Of translated components on disk; 4 GiB by default. */
  readonly diskBytes?: number;
}

/** Runs components on V8: translated once by digest, then a fresh instance for each attempt on warm worker threads. */
export function createV8Engine(options: V8EngineOptions): Engine {
  const codeCache = join(options.cacheDir, "code");
  const translator = createTranslator(codeCache);
  const cache = createTranslationCache(join(options.cacheDir, "v8"), options.diskBytes);
  const programs = createPrograms(cache, translator);
  const pool = createPool(options.parallelism ?? availableParallelism(), codeCache);
  let closed = false;
  /** A program that could not be got because the engine closes may well be a good one. */
  const programOf = async (binary: StepBinary, limits: Limits): Promise<Program | StepFailure> => {
    const { memoryBytes, cpuMs } = limits;
    if (cpuMs !== undefined && !countsCpu) {
      const message = `limits.cpu needs Node 24.6 or newer on the engine v8; this is Node ${process.versions.node}.`;
      return failure("ERR_ENGINE_UNAVAILABLE", message);
    }
    const program = closed ? undefined : await programs.get(binary);
    if (program === undefined || closed) return failure("ERR_STEP_CANCELLED", "The engine is closed.");
    if ("code" in program || program.declaredBytes <= memoryBytes) return program;
    const message = `The component begins with ${program.declaredBytes} bytes of memory, over the limit of ${memoryBytes} bytes.`;
    return failure("ERR_STEP_MEMORY", message);
  };
  return {
    name: "v8",
    async prepare(binary, limits) {
      pool.warm();
      const program = await programOf(binary, limits);
      return "code" in program ? program : undefined;
    },
    async execute(binary, { input, limits, capabilities = {}, calls, signal }) {
      const program = await programOf(binary, limits);
      if ("code" in program) return { ending: { kind: "ended", failure: program }, logs: [] };
      const run = runRequest(program.key, binary, { input, limits, capabilities });
      const { wallMs, cpuMs } = limits;
      return pool.run({
        program,
        run,
        wallMs,
        ...(cpuMs !== undefined && { cpuMs }),
        ...(calls && { calls }),
        ...(signal && { signal }),
      });
    },
    async close() {
      closed = true;
      await Promise.all([translator.close(), pool.close()]);
    },
  };
}

interface Asked {
  readonly input: StepInput;
  readonly limits: Limits;
  readonly capabilities: Capabilities;
}

function runRequest(
  key: string,
  { mode }: StepBinary,
  { input, limits, capabilities: { env = {}, config = {}, seed, tmp } }: Asked,
): RunRequest {
  return {
    key,
    input: mode === "typed" ? typedInput(input) : JSON.stringify(input),
    stepId: input.ctx.stepId,
    env: Object.entries(env),
    ...(seed === undefined ? {} : { hermetic: hermetic(seed, input) }),
    wallMs: limits.wallMs,
    memoryBytes: limits.memoryBytes,
    outputBytes: limits.outputBytes,
    logBytes: limits.logBytes,
    config: Object.entries(config),
    httpConcurrent: limits.httpConcurrent,
    httpBodyBytes: limits.httpBodyBytes,
    ...(tmp === true && { tmpBytes: limits.tmpBytes }),
  };
}
