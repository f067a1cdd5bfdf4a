import type { Capabilities } from "./capabilities.ts";
import type { Json } from "./json.ts";
import type { Limits } from "./limits.ts";
import type { RuntimeErrorCode } from "./errors.ts";
import type { StepInput } from "./input.ts";

/** The runtimes that a document can name; also a driver's name and its folder. */
export type RuntimeName = "wasm" | "docker" | "lambda" | "http";

/** What a function version pins about the program of one step. */
export interface StepProgram {
  readonly runtime: { readonly type: RuntimeName; readonly [option: string]: Json };
  /** The digest of the artifact that it is run from, sha256 in hex: of a component with runtime wasm. */
  readonly sha256?: string;
  /** Runtime wasm: what the step's document asks for. */
  readonly capabilities?: Capabilities;
}

/** One execution of one step. */
export interface Attempt {
  readonly program: StepProgram;
  readonly input: StepInput;
  readonly limits: Limits;
  /** Aborted when the run is cancelled or the host stops: the attempt ends with ERR_STEP_CANCELLED. */
  readonly signal?: AbortSignal;
  /** Hears lines of the log as they come, on runtimes that can tell; the result has all of them. Must not throw. */
  readonly onLog?: (line: LogLine) => void;
}

/** One line of an attempt's log; stderr is level "info". */
export interface LogLine {
  readonly level: "trace" | "debug" | "info" | "warn" | "error";
  readonly message: string;
}

/** Why an attempt failed, and whether another one can help. An expected failure is a value, not a throw. */
export interface StepFailure {
  readonly code: RuntimeErrorCode;
  readonly message: string;
  readonly retry: boolean;
  /** The step's own wish for the delay before the next attempt, in milliseconds. */
  readonly retryAfterMs?: number;
}

/** What every attempt leaves behind. `logs` is cut at `limits.logBytes`. */
interface AttemptTraces {
  readonly logs: readonly LogLine[];
  /** What exactly was run, where the document's name for it can come to mean something else: an image's digest, a Lambda function's version. */
  readonly ran?: string;
  /** Units of fuel that it used, where the host counts them. */
  readonly fuel?: number;
  /** Where its receiver completed it later: which completion it was, so that the same one again is known. */
  readonly completion?: string;
}

/** What became of an attempt. */
export type AttemptResult = AttemptTraces &
  ({ readonly ok: true; readonly output: Json } | { readonly ok: false; readonly failure: StepFailure });

/** Where a driver finds the bytes of an artifact; undefined when there is none of that digest. */
export type ArtifactSource = (sha256: string) => Promise<Uint8Array | undefined>;

/** Which of several engines a driver has its steps executed by, and why that one. */
export interface DriverEngine {
  readonly name: string;
  readonly why: string;
}

/** Executes single steps on one runtime. It knows nothing of events, runs or brokers. */
export interface Driver {
  readonly name: RuntimeName;
  /** Absent where there is no choice. */
  readonly engine?: DriverEngine;
  /** Why it can run nothing here and now, such as for want of an engine; a driver without it always can. */
  check?(): Promise<StepFailure | undefined>;
  /** Gets a program ready (fetch, check, compile) ahead of its first attempt; the failure when it can't run. */
  prepare(program: StepProgram, limits: Limits): Promise<StepFailure | undefined>;
  /** Runs one attempt in a fresh sandbox. Never throws for what the step does; a throw is a broken driver. */
  execute(attempt: Attempt): Promise<AttemptResult>;
  /** Ends what runs and frees all it holds. Idempotent. */
  close(): Promise<void>;
}
