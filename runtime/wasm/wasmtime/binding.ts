import type { RuntimeErrorCode } from "../../errors.ts";
import type { LogLine } from "../../driver.ts";

/** What the addon exports; its Rust side is `native/src/binding.rs` and `compiling.rs`. */
export interface Binding {
  readonly NativeEngine: new (options: NativeOptions, notify: () => void) => NativeEngine;
  readonly Compiler: new (fuel?: number) => NativeCompiler;
  /** Has the system refuse this process that much more data than it has now, in bytes, where it can. */
  limitGrowth(bytes: number): void;
}

/** Compiles binaries into files that an engine of the same version loads. For a process of its own. */
interface NativeCompiler {
  /** One at a time: writes the file `path`; why the binary can't run, else. */
  compile(shape: Shape, path: string, binary: Uint8Array): Promise<Refused | null>;
}

/** Why a binary can't run. */
export interface Refused {
  readonly code: RuntimeErrorCode;
  readonly text: string;
}

interface NativeOptions {
  readonly threads: number;
  /** Fuel that an attempt gets; counted only where it is given. */
  readonly fuel?: number;
}

/** How a binary is called. */
export type Shape = "typed" | "program" | "command";

interface AttemptLimits {
  readonly wallMs: number;
  readonly cpuMs?: number;
  readonly memoryBytes: number;
  readonly outputBytes: number;
  readonly logBytes: number;
  readonly httpBodyBytes: number;
}

/** What an attempt's document gives it. */
interface AttemptGrants {
  /** Name and value, one after the other. */
  readonly env: readonly string[];
  /** Its configuration, likewise. */
  readonly config: readonly string[];
  /** Fixes clocks and randomness: milliseconds since 1970, and the four words of the generator behind it. */
  readonly hermetic?: readonly number[];
  /** What its folder `/tmp` may hold, where it has one. */
  readonly tmpBytes?: number;
}

/** The native half of an engine: its functions only ask, and `drain` has what has ended. */
export interface NativeEngine {
  /** Of Wasmtime and its configuration: what another one compiled can't be used. */
  readonly version: string;
  /** Attempts that can be alive at once. */
  readonly slots: number;
  /** Gets a program of the file `path`, which a compiler wrote. */
  load(id: number, shape: Shape, path: string): void;
  /** Forgets a program; attempts that have been asked for keep it. */
  release(program: number): void;
  execute(id: number, program: number, input: string, limits: AttemptLimits, grants?: AttemptGrants): void;
  cancel(id: number): void;
  /** Answers a call of an attempt, of JSON; false when the bytes are more than it may have. Late answers are dropped. */
  answer(id: number, call: number, head: string, bytes?: Uint8Array): boolean;
  /** All that has ended or was asked since the last call. */
  drain(): readonly Done[];
  /** Ends all; `drain` has a "closed" once every thread has ended. */
  close(): void;
  /** After "closed": gives back what is shared with other engines. */
  dispose(): void;
}

/** A program that is in memory: its number, its size in bytes, and the memories of an instance. */
export interface DoneProgram {
  readonly kind: "program";
  readonly number: number;
  readonly bytes: number;
  readonly initialMemory: number;
  readonly memories: number;
}

/** What became of a program that was asked for; "absent": it is not on disk. */
export type DoneLoading =
  | DoneProgram
  | { readonly kind: "absent" }
  | ({ readonly kind: "refused" } & Refused);

/** How an attempt ended. */
export type DoneAttempt = { readonly logs?: readonly LogLine[]; readonly fuel?: number } & (
  | { readonly kind: "exited"; readonly number: number; readonly text: string; readonly starved?: string }
  | { readonly kind: "returned"; readonly text: string }
  | { readonly kind: "retry"; readonly text: string; readonly number?: number; readonly starved?: string }
  | { readonly kind: "fatal"; readonly text: string }
  | { readonly kind: "failed"; readonly code: RuntimeErrorCode; readonly text: string }
);

/** A call that an attempt makes, as JSON with its bytes; "forgotten": it no longer wants the answer. */
export interface DoneCall {
  readonly kind: "call" | "forgotten";
  readonly number: number;
  readonly text?: string;
  readonly data?: Uint8Array;
}

/** Something that was asked for by `id` and has ended, or a call that it makes. */
export type Done = { readonly id: number } & (
  | DoneLoading
  | DoneAttempt
  | DoneCall
  | { readonly kind: "closed" }
);
