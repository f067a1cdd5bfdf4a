import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { Capabilities } from "../../capabilities.ts";
import type { StepFailure } from "../../driver.ts";
import type { StepInput } from "../../input.ts";
import type { Limits } from "../../limits.ts";
import type { Ending, Engine, EngineResult, StepBinary } from "../engine.ts";
import { createCompiledFiles } from "../compiled-files.ts";
import { hermetic } from "../hermetic.ts";
import { failure } from "../../failure.ts";
import { createAnswering } from "./answering.ts";
import type { Binding, DoneAttempt, DoneLoading, DoneProgram } from "./binding.ts";
import { createCompiler } from "./compiler.ts";
import type { CompileLimits } from "./compiler.ts";
import { createDesk } from "./desk.ts";
import { createPrograms } from "./programs.ts";
import type { Kept } from "./programs.ts";

/** What the engine is created with. */
export interface WasmtimeEngineOptions {
  /** The addon, from `loadBinding`. */
  readonly binding: Binding;
  /** Where it was loaded from: the process that compiles does it too. */
  readonly addon: string;
  /** Compiled components are kept in its folder `wasmtime`. */
  readonly cacheDir: string;
  /** Attempts that compute at once; the number of cores by default. Those whose guest waits don't count. */
  readonly parallelism?: number;
  /** Fuel that an attempt gets, which makes it slower; what it used is in its result then. */
  readonly fuel?: number;
  /** How much of programs is kept in memory: 512 MiB of code and 500 memories by default. */
  readonly kept?: Kept;
  /** Of compiled components on disk; 4 GiB by default. */
  readonly diskBytes?: number;
  /** What it may take to compile a component: 60 s of processor time and 4 GiB by default. */
  readonly compile?: CompileLimits;
}

const defaultCompile: CompileLimits = { cpuMs: 60_000, memoryBytes: 4 * 1024 ** 3 };

const defaultKept: Kept = { bytes: 512 * 1024 * 1024, memories: 500 };

/** Runs components on Wasmtime: compiled once by digest, then a fresh instance for each attempt on native threads. */
export function createWasmtimeEngine(options: WasmtimeEngineOptions): Engine {
  const { binding, addon, cacheDir, parallelism = availableParallelism() } = options;
  const { kept = defaultKept, compile = defaultCompile } = options;
  const fuel = options.fuel === undefined ? {} : { fuel: options.fuel };
  const desk = createDesk((notify) => new binding.NativeEngine({ threads: parallelism, ...fuel }, notify));
  const { native } = desk;
  const compiler = createCompiler({ addon, ...compile, ...fuel });
  const folder = join(cacheDir, "wasmtime");
  const programs = createPrograms(
    folder,
    native.version,
    {
      load: (shape, path) => desk.ask<DoneLoading>((id) => native.load(id, shape, path)),
      compiler,
      files: createCompiledFiles(folder, options.diskBytes),
      release: (program) => native.release(program),
    },
    kept,
  );
  let closing: Promise<void> | undefined;

  const programOf = async (
    binary: StepBinary,
    { memoryBytes }: Limits,
  ): Promise<DoneProgram | StepFailure> => {
    if (closing !== undefined) return closed();
    const program = programs.find(binary.sha256) ?? (await programs.get(binary).catch(unlessClosed));
    if ("code" in program || program.initialMemory <= memoryBytes) return program;
    const message = `The component begins with ${program.initialMemory} bytes of memory, over the limit of ${memoryBytes} bytes.`;
    return failure("ERR_STEP_MEMORY", message);
  };

  const unlessClosed = (error: unknown): StepFailure => {
    if (closing === undefined) throw error;
    return closed();
  };

  return {
    name: "wasmtime",
    async prepare(binary, limits) {
      const program = await programOf(binary, limits);
      return "code" in program ? program : undefined;
    },
    async execute(binary, { input, limits, capabilities, calls, signal }) {
      const program = await programOf(binary, limits);
      // The engine may have been closed meanwhile.
      if (closing !== undefined) return ended(closed());
      if ("code" in program) return ended(program);
      if (signal?.aborted === true) return ended(failure("ERR_STEP_CANCELLED", "The attempt was cancelled."));
      const grants = capabilities && grantsOf(capabilities, input, limits);
      const answering = createAnswering(native, calls);
      let abort: (() => void) | undefined;
      const done = await desk.ask<DoneAttempt>((id) => {
        native.execute(id, program.number, JSON.stringify(input), limits, grants);
        abort = () => native.cancel(id);
        signal?.addEventListener("abort", abort, { once: true });
      }, answering.hear);
      if (abort !== undefined) signal?.removeEventListener("abort", abort);
      const breach = answering.end();
      const ran = result(done);
      return breach === undefined ? ran : { ...ran, ending: { kind: "ended", failure: breach } };
    },
    close: () => (closing ??= Promise.all([desk.close(), compiler.close()]).then(() => undefined)),
  };
}

/** As the native side takes them. */
function grantsOf(
  { env = {}, config = {}, seed, tmp }: Capabilities,
  input: StepInput,
  { tmpBytes }: Limits,
) {
  const fixed = seed === undefined ? undefined : hermetic(seed, input);
  return {
    env: Object.entries(env).flat(),
    config: Object.entries(config).flat(),
    ...(fixed && { hermetic: [fixed.startMs, ...fixed.words] }),
    ...(tmp === true && { tmpBytes }),
  };
}

function closed(): StepFailure {
  return failure("ERR_STEP_CANCELLED", "The engine is closed.");
}

function ended(failure: StepFailure, logs: EngineResult["logs"] = []): EngineResult {
  return { ending: { kind: "ended", failure }, logs };
}

function result(done: DoneAttempt): EngineResult {
  const { logs = [], fuel } = done;
  const ending = endingOf(done);
  return fuel === undefined ? { ending, logs } : { ending, logs, fuel };
}

function endingOf(done: DoneAttempt): Ending {
  switch (done.kind) {
    case "returned":
      return { kind: "returned", output: done.text };
    case "exited":
      return {
        kind: "exited",
        status: done.number,
        stdout: done.text,
        ...(done.starved !== undefined && { starved: done.starved }),
      };
    case "retry":
      return {
        kind: "retry",
        message: done.text,
        ...(done.number !== undefined && { afterMs: done.number }),
        ...(done.starved !== undefined && { starved: done.starved }),
      };
    case "fatal":
      return { kind: "fatal", message: done.text };
    default:
      return { kind: "ended", failure: failure(done.code, done.text) };
  }
}
