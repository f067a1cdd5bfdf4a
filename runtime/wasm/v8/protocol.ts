import type { RuntimeErrorCode } from "../../errors.ts";
import type { HostAnswer, HostCall, WithBytes } from "../calls.ts";
import type { Inspection } from "../component.ts";
import type { Hermetic } from "../hermetic.ts";
import type { Footprint } from "./bounds.ts";
import type { TypedInput } from "./typed-input.ts";
import type { WasmModule } from "./webassembly.ts";

/** A core module of a program, compiled. */
export interface ProgramModule {
  readonly module: WasmModule;
  readonly footprint: Footprint;
}

/** A program as a worker loads it. */
export interface Program extends Pick<Inspection, "kind" | "mode"> {
  /** The binary's digest. */
  readonly key: string;
  /** The component's definition as JSON text; empty for a command. */
  readonly component: string;
  readonly modules: readonly ProgramModule[];
  /** What is kept of it in memory, about. */
  readonly bytes: number;
  /** The memory with which its modules begin, together. */
  readonly declaredBytes: number;
}

/** What one attempt needs in the worker. */
export interface RunRequest {
  readonly key: string;
  /** The record for the typed export, or JSON text for a program. */
  readonly input: TypedInput | string;
  readonly stepId: string;
  /** The variables of its environment: name and value. */
  readonly env: readonly (readonly [string, string])[];
  /** Clocks and randomness, where a seed fixes them. */
  readonly hermetic?: Hermetic;
  readonly wallMs: number;
  readonly memoryBytes: number;
  readonly outputBytes: number;
  readonly logBytes: number;
  /** What /tmp may hold, where it is granted. */
  readonly tmpBytes?: number;
  /** Its configuration: name and value. */
  readonly config: readonly (readonly [string, string])[];
  readonly httpConcurrent: number;
  readonly httpBodyBytes: number;
}

/** What the engine asks of a worker. One at a time. */
export type ToWorker =
  | { readonly type: "load"; readonly program: Program }
  | { readonly type: "unload"; readonly key: string }
  | { readonly type: "run"; readonly run: RunRequest };

/** What a worker answers. */
export type FromWorker =
  | { readonly type: "ready" }
  | { readonly type: "loaded" }
  | CallMessage
  | ({ readonly type: "ended" } & AttemptEnd);

/** A call of the guest that runs, by a number that no other call of its thread has; or that its answer is not wanted. */
export type CallMessage =
  | ({ readonly type: "call"; readonly number: number } & WithBytes<HostCall>)
  | { readonly type: "forget"; readonly number: number };

/** An answer, on a port of its own: the worker takes it from there in the middle of an attempt. */
export type AnswerMessage = { readonly number: number } & WithBytes<HostAnswer>;

/** How an attempt ended in the worker. */
export type WorkerEnding =
  | { readonly kind: "exited"; readonly status: number; readonly stdout: string; readonly starved?: string }
  | { readonly kind: "returned"; readonly output: string }
  | { readonly kind: "retry"; readonly message: string; readonly afterMs?: number; readonly starved?: string }
  | { readonly kind: "fatal"; readonly message: string }
  | { readonly kind: "failed"; readonly code: RuntimeErrorCode; readonly message: string };

/** What the worker tells the engine of an attempt that has ended. */
export interface AttemptEnd {
  readonly ending: WorkerEnding;
  /** The thread can't be trusted to be as it was before: it has to be replaced. */
  readonly tainted: boolean;
}
