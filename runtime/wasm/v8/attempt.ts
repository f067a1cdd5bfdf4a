import type { LogLine } from "../../driver.ts";
import { writeLog } from "./log-buffer.ts";
import type { LogSource } from "./log-buffer.ts";
import type { LoadedProgram } from "./program.ts";
import type { RunRequest, WorkerEnding } from "./protocol.ts";
import { Breach, Exit, createInput, createOutput } from "./stdio.ts";
import type { OutputSink } from "./stdio.ts";
import { createImports } from "./wasi/wasi.ts";
import type { Ambient, StepWorld } from "./wasi/wasi.ts";
import { webAssembly } from "./webassembly.ts";
import type { WasmImports, WasmInstance, WasmModule } from "./webassembly.ts";

/** What the worker tells the engine of an attempt that has ended. */
export interface AttemptEnd {
  readonly ending: WorkerEnding;
  /** The thread can't be trusted to be as it was before: it has to be replaced. */
  readonly tainted: boolean;
}

/** Runs one attempt to its end in this thread. `onBreach` hears of a limit while the guest may still be going on. */
export function runAttempt(
  program: LoadedProgram,
  run: RunRequest,
  logBuffer: SharedArrayBuffer,
  ambient: Ambient,
  onBreach: (end: AttemptEnd) => void,
): AttemptEnd {
  // A guest can catch what the host throws; what it was ended for stays decided.
  let verdict: Exit | Breach | undefined;
  const end = (reason: Exit | Breach): never => {
    const first = verdict === undefined;
    verdict ??= reason;
    if (first && verdict instanceof Breach) onBreach(breachEnd(verdict));
    throw verdict;
  };
  const stdout = createOutput(run.outputBytes, end);
  const world = createWorld(program, run, stdout, logBuffer, ambient, end);
  try {
    const exports = program.instantiate(createImports(world), instantiateCore);
    const returned = call(program, exports, run);
    return {
      ending: verdictEnding(verdict, program, stdout) ?? outputEnding(returned, run, stdout),
      tainted: false,
    };
  } catch (error) {
    if (verdict instanceof Breach) return breachEnd(verdict);
    const decided = verdictEnding(verdict, program, stdout);
    if (decided !== undefined) return { ending: decided, tainted: false };
    return errorEnd(error, program, stdout);
  }
}

const instantiateCore = (module: WasmModule, imports?: WasmImports): WasmInstance =>
  new webAssembly.Instance(module, imports);

/** The text that a typed export returned; undefined for a program. */
function call(
  { mode }: LoadedProgram,
  exports: ReturnType<LoadedProgram["instantiate"]>,
  run: RunRequest,
): string | undefined {
  const prefix = mode === "typed" ? "millrace:step/handler@" : "wasi:cli/run@";
  const name = Object.keys(exports).find((key) => key.startsWith(prefix));
  const found = name === undefined ? undefined : exports[name];
  if (found === undefined) throw new TypeError(`the transpiled component lacks its export ${prefix}`);
  if (mode === "typed") return found.run(run.input) as string;
  found.run();
  return undefined;
}

function createWorld(
  { mode }: LoadedProgram,
  run: RunRequest,
  stdout: OutputSink,
  logBuffer: SharedArrayBuffer,
  ambient: Ambient,
  end: (reason: Breach | Exit) => never,
): StepWorld {
  const log = writeLog(logBuffer, run.logBytes);
  const write = (source: LogSource, text: Uint8Array): void => {
    if (log.write(source, text)) return;
    end(new Breach("ERR_STEP_LOG_TOO_LARGE", `The attempt logged more than ${run.logBytes} bytes.`));
  };
  const stderr: OutputSink = { write: (bytes) => write("stderr", bytes) };
  // A typed step has its output in its result: what it prints is log.
  const typed = mode === "typed";
  const text = typeof run.input === "string" ? run.input : "";
  return {
    args: typed ? [run.stepId] : [run.stepId, text],
    stdin: createInput(text),
    stdout: typed ? stderr : stdout,
    stderr,
    log: (level: LogLine["level"], message: string) => write(level, Buffer.from(message)),
    exit: (status) => end(new Exit(status)),
    ambient,
    memoryBytes: run.memoryBytes,
  };
}

function breachEnd({ code, message }: Breach): AttemptEnd {
  return { ending: { kind: "failed", code, message }, tainted: true };
}

function verdictEnding(
  verdict: Exit | Breach | undefined,
  { mode }: LoadedProgram,
  stdout: { text(): string },
): WorkerEnding | undefined {
  if (!(verdict instanceof Exit)) return undefined;
  if (mode === "program")
    return { kind: "exited", status: verdict.status, stdout: stdout.text(), starved: false };
  return {
    kind: "failed",
    code: "ERR_STEP_FAILED",
    message: `The step called ${verdict.message} instead of returning.`,
  };
}

function outputEnding(
  returned: string | undefined,
  run: RunRequest,
  stdout: { text(): string },
): WorkerEnding {
  if (returned === undefined) return { kind: "exited", status: 0, stdout: stdout.text(), starved: false };
  if (Buffer.byteLength(returned) <= run.outputBytes) return { kind: "returned", output: returned };
  const message = `The step returned more than ${run.outputBytes} bytes.`;
  return { kind: "failed", code: "ERR_STEP_OUTPUT_TOO_LARGE", message };
}

/** Tells what a guest threw, or what was thrown because of it. */
function errorEnd(error: unknown, { mode }: LoadedProgram, stdout: { text(): string }): AttemptEnd {
  if (!(error instanceof Error)) {
    const ending: WorkerEnding =
      mode === "typed"
        ? typedFailure(error)
        : { kind: "exited", status: 1, stdout: stdout.text(), starved: false };
    return { ending, tainted: false };
  }
  if (error instanceof RangeError && /call stack/i.test(error.message)) {
    return {
      ending: {
        kind: "failed",
        code: "ERR_STEP_STACK",
        message: "The step's recursion went deeper than the stack.",
      },
      tainted: true,
    };
  }
  return {
    ending: { kind: "failed", code: "ERR_STEP_TRAP", message: `The step trapped: ${error.message}.` },
    tainted: !(error instanceof webAssembly.RuntimeError),
  };
}

/** The error case of the typed export. */
function typedFailure(thrown: unknown): WorkerEnding {
  const variant = thrown as
    | { readonly tag: "retry"; readonly val: { readonly message: string; readonly after?: bigint } }
    | { readonly tag: "fatal"; readonly val: string };
  if (variant.tag === "fatal") return { kind: "fatal", message: variant.val };
  const { message, after } = variant.val;
  return after === undefined
    ? { kind: "retry", message }
    : { kind: "retry", message, afterMs: Number(after) };
}
