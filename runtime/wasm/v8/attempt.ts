import type { LogLine } from "../../driver.ts";
import type { ThreadLine } from "./call-line.ts";
import { writeLog } from "./log-buffer.ts";
import type { LogSource } from "./log-buffer.ts";
import type { Meter } from "./meter.ts";
import type { LoadedProgram } from "./program.ts";
import type { AttemptEnd, RunRequest, WorkerEnding } from "./protocol.ts";
import { Breach, Exit, createInput, createOutput } from "./stdio.ts";
import type { OutputSink } from "./stdio.ts";
import { createTmp } from "./tmp/tmp.ts";
import { errorEnd } from "./thrown.ts";
import type { TypedResult } from "./typed-input.ts";
import { hermeticAmbient } from "./wasi/hermetic.ts";
import type { Ambient, StepWorld } from "./wasi/world.ts";

/** What a worker thread keeps from one attempt to the next; nothing in it is within a guest's reach. */
export interface AttemptHost {
  readonly log: SharedArrayBuffer;
  readonly ambient: Ambient;
  readonly meter: Meter;
  readonly line: ThreadLine;
}

/** Runs one attempt to its end in this thread. `onBreach` hears of a limit while the guest may still be going on. */
export function runAttempt(
  program: LoadedProgram,
  run: RunRequest,
  host: AttemptHost,
  onBreach: (end: AttemptEnd) => void,
): AttemptEnd {
  // A guest can catch what the host throws; what it was ended for stays decided.
  let verdict: Exit | Breach | undefined;
  let thrown: { readonly error: unknown } | undefined;
  const end = (reason: Exit | Breach): never => {
    if (thrown !== undefined) throw thrown.error;
    if (verdict === undefined && reason instanceof Breach) onBreach(breachEnd(reason));
    verdict ??= reason;
    throw verdict;
  };
  const { meter } = host;
  meter.begin(run.memoryBytes, (message) => end(new Breach("ERR_STEP_MEMORY", message)));
  const stdout = createOutput(run.outputBytes, end);
  const threw = (error: unknown): void => {
    if (verdict === undefined) thrown ??= { error };
  };
  const world = createWorld(program, run, stdout, host, end, threw);
  const starved = (): { readonly starved?: string } =>
    meter.starved === undefined ? {} : { starved: meter.starved };
  const exited = (status: number): WorkerEnding => ({
    kind: "exited",
    status,
    stdout: stdout.text(),
    ...starved(),
  });
  let returned: unknown;
  try {
    returned = program.instantiate(world, meter)(run.input);
  } catch (error) {
    threw(error);
  }
  if (verdict instanceof Breach) return breachEnd(verdict);
  if (verdict instanceof Exit) return { ending: exitEnding(verdict, program, exited), tainted: false };
  if (thrown !== undefined) return errorEnd(thrown.error, meter.starved);
  if (program.mode === "program") return { ending: exited((returned as [0 | 1])[0]), tainted: false };
  const ending = typedEnding(returned as TypedResult, run);
  return { ending: ending.kind === "retry" ? { ...ending, ...starved() } : ending, tainted: false };
}

function createWorld(
  { mode }: LoadedProgram,
  run: RunRequest,
  stdout: OutputSink,
  { log: buffer, ambient: live, line, meter }: AttemptHost,
  end: (reason: Breach | Exit) => never,
  threw: (error: unknown) => void,
): StepWorld {
  const log = writeLog(buffer, run.logBytes);
  const write = (source: LogSource, text: Uint8Array): void => {
    if (log.write(source, text)) return;
    const message = `The attempt logged ${log.written} bytes, over the limit of ${run.logBytes} bytes.`;
    end(new Breach("ERR_STEP_LOG_TOO_LARGE", message));
  };
  const stderr: OutputSink = { write: (bytes) => write("stderr", bytes) };
  const inTime = (elapsed: bigint): void => {
    if (elapsed <= BigInt(Math.ceil(run.wallMs * 1e6))) return;
    end(new Breach("ERR_STEP_TIMEOUT", `The attempt took longer than ${run.wallMs} ms.`));
  };
  const ambient = run.hermetic === undefined ? live : hermeticAmbient(run.hermetic, inTime);
  // A typed step has its output in its result: what it prints is log.
  const typed = mode === "typed";
  const text = typeof run.input === "string" ? run.input : "";
  return {
    args: typed ? [run.stepId] : [run.stepId, text],
    env: run.env,
    stdin: createInput(text),
    stdout: typed ? stderr : stdout,
    stderr,
    log: (level: LogLine["level"], message: string) => write(level, Buffer.from(message)),
    exit: (status) => end(new Exit(status)),
    threw,
    ambient,
    ...(run.tmpBytes !== undefined && { tmp: createTmp(run.tmpBytes, () => ambient.wallClock(), end) }),
    outside: {
      config: run.config,
      calls: line.begin(run.httpConcurrent, meter),
      httpBodyBytes: run.httpBodyBytes,
      hold: meter.hold,
      release: meter.release,
      breach: (code, message) => end(new Breach(code, message)),
    },
    memoryBytes: run.memoryBytes,
  };
}

function breachEnd({ code, message }: Breach): AttemptEnd {
  return { ending: { kind: "failed", code, message }, tainted: true };
}

/** A typed step that exits has no result: that is a failure, whatever the code. */
function exitEnding(
  { status }: Exit,
  { mode }: LoadedProgram,
  exited: (status: number) => WorkerEnding,
): WorkerEnding {
  if (mode === "program" || status !== 0) return exited(status);
  return {
    kind: "failed",
    code: "ERR_STEP_FAILED",
    message: "The step exited with code 0 instead of returning.",
  };
}

function typedEnding(result: TypedResult, run: RunRequest): WorkerEnding {
  const [failed, value] = result;
  if (failed === 0) {
    const bytes = Buffer.byteLength(value);
    if (bytes <= run.outputBytes) return { kind: "returned", output: value };
    const message = `The step returned ${bytes} bytes, over the limit of ${run.outputBytes} bytes.`;
    return { kind: "failed", code: "ERR_STEP_OUTPUT_TOO_LARGE", message };
  }
  if (value[0] === 1) return { kind: "fatal", message: value[1] };
  const [message, [given, after]] = value[1];
  return given === 0 ? { kind: "retry", message } : { kind: "retry", message, afterMs: Number(after) };
}
