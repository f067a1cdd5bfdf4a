import type { Capabilities } from "../capabilities.ts";
import type { LogLine, StepFailure } from "../driver.ts";
import type { StepInput } from "../input.ts";
import type { Limits } from "../limits.ts";
import type { HostCalls } from "./calls.ts";
import type { Inspection } from "./component.ts";

/** The engines that can execute components; also the folder of each. */
type EngineName = "v8" | "wasmtime";

/** A binary that was found fit to be a step. Its bytes are asked for only when an engine has no compiled form of it. */
export interface StepBinary extends Omit<Inspection, "exports"> {
  readonly sha256: string;
  load(): Promise<Uint8Array | undefined>;
}

/** One execution of a binary. */
interface EngineAttempt {
  readonly input: StepInput;
  readonly limits: Limits;
  readonly capabilities?: Capabilities;
  /** Answers what granted imports ask of the host; absent where no such capability was granted. */
  readonly calls?: HostCalls;
  readonly signal?: AbortSignal;
}

/** How an attempt came to its end, before it is read as a success or a failure. */
export type Ending =
  /** A program ended by itself: run() returned, or it called exit. */
  | { readonly kind: "exited"; readonly status: number; readonly stdout: string; readonly starved?: string }
  /** The typed export returned JSON text. */
  | { readonly kind: "returned"; readonly output: string }
  /** The typed export returned an error. */
  | { readonly kind: "retry"; readonly message: string; readonly afterMs?: number; readonly starved?: string }
  | { readonly kind: "fatal"; readonly message: string }
  /** The engine ended it: a trap, a limit, a cancel. */
  | { readonly kind: "ended"; readonly failure: StepFailure };

/** An ending, and what the attempt logged until then. */
export interface EngineResult {
  readonly ending: Ending;
  readonly logs: readonly LogLine[];
  /** What the attempt used, where the engine counts it. */
  readonly fuel?: number;
}

/** Runs components, each attempt in a fresh instance that shares nothing with another. */
export interface Engine {
  readonly name: EngineName;
  /** Compiles a binary ahead of its first attempt; why it can't run, else. */
  prepare(binary: StepBinary, limits: Limits): Promise<StepFailure | undefined>;
  /** Runs one attempt; prepares the binary first where that was not done. Throws only when the engine itself is broken. */
  execute(binary: StepBinary, attempt: EngineAttempt): Promise<EngineResult>;
  /** Ends what runs (as ERR_STEP_CANCELLED) and leaves no thread behind. Idempotent. */
  close(): Promise<void>;
}
