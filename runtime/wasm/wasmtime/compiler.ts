import { fork } from "node:child_process";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import type { StepFailure } from "../../driver.ts";
import { failure } from "../../failure.ts";
import type { Refused, Shape } from "./binding.ts";

/** A binary to compile into the file `path`. */
export interface CompileRequest {
  readonly shape: Shape;
  readonly path: string;
  readonly binary: Uint8Array;
}

/** What the process says: that it is there, that it begins, that a file was written, or why a binary can't run. */
export interface CompileAnswer {
  readonly refused?: Refused;
  /** It goes on with it all the same, and has to be ended. */
  readonly busy?: true;
}

/** What one compilation may take. */
export interface CompileLimits {
  /** Processor time, in milliseconds. */
  readonly cpuMs: number;
  /** Memory, in bytes, where the system bounds it (Linux). */
  readonly memoryBytes: number;
}

/** What the process is started with. */
export interface CompilerStart extends CompileLimits {
  /** The addon, as `require` takes it. */
  readonly addon: string;
  readonly fuel?: number;
}

/** Compiles binaries one after the other in a process of its own. */
export interface Compiler {
  /** Writes the file; why the binary can't run, else. */
  compile(request: CompileRequest): Promise<StepFailure | undefined>;
  /** Ends the process, whatever it does. */
  close(): Promise<void>;
}

/** An idle process is let go after this, in milliseconds. */
const idleMs = 30_000;

/** A process that says nothing is ended after so much longer than its processor time: on a loaded machine it gets little. */
const patience = 20;

/** Processes that end before they begin, one after the other, until it is given up. */
const mostStarts = 3;

/** A compiler; its process is started when there is something to compile. */
export function createCompiler(start: CompilerStart): Compiler {
  let running: CompileProcess | undefined;
  let idle: NodeJS.Timeout | undefined;
  let queue: Promise<unknown> = Promise.resolve();
  let closed = false;
  const endings = new Set<Promise<void>>();

  const drop = (): void => {
    clearTimeout(idle);
    running?.end();
    running = undefined;
  };

  const said = (process: CompileProcess): Promise<CompileAnswer | undefined> =>
    process.said(start.cpuMs * patience);

  /** The process once it is ready; undefined: it can't be had. */
  const ready = async (): Promise<CompileProcess | undefined> => {
    if (running !== undefined) return running;
    const process = startProcess(start);
    running = process;
    void forget(process);
    return (await said(process)) === undefined ? undefined : process;
  };

  const forget = async (process: CompileProcess): Promise<void> => {
    endings.add(process.ended);
    await process.ended;
    endings.delete(process.ended);
    if (running === process) running = undefined;
  };

  /** A process that has begun with it. One that waited idle may have been ended meanwhile: then it is another. */
  const begin = async (request: CompileRequest): Promise<CompileProcess | undefined> => {
    for (let left = mostStarts; left > 0 && !closed; left--) {
      const process = await ready();
      if (process !== undefined) {
        process.ask(request);
        if ((await said(process)) !== undefined) return process;
      }
      drop();
    }
    return undefined;
  };

  const compile = async (request: CompileRequest): Promise<StepFailure | undefined> => {
    clearTimeout(idle);
    const process = await begin(request);
    const answer = process && (await said(process));
    if (closed) return failure("ERR_STEP_CANCELLED", "The engine is closed.");
    if (process === undefined)
      return failure("ERR_ENGINE_BROKEN", "The process that compiles can't be started.");
    if (answer === undefined || answer.busy) drop();
    else {
      process.rest();
      idle = setTimeout(drop, idleMs).unref();
    }
    if (answer !== undefined) return answer.refused && failure(answer.refused.code, answer.refused.text);
    const how = process.signal === null ? "" : ` (${process.signal})`;
    const message = `The component can't be run: the compiler came to an end over it${how}, or took too much memory or time.`;
    return failure("ERR_COMPONENT_INVALID", message);
  };

  return {
    compile(request) {
      const done = queue.then(() => compile(request));
      queue = done.catch(() => undefined);
      return done;
    },
    async close() {
      closed = true;
      drop();
      await Promise.all(endings);
    },
  };
}

/** The process, as what it says one after the other. */
interface CompileProcess {
  /** The signal that ended it. */
  readonly signal: NodeJS.Signals | null;
  readonly ended: Promise<void>;
  ask(request: CompileRequest): void;
  /** What it says next; undefined: it ended, was never there, or said nothing for so long. */
  said(longestMs: number): Promise<CompileAnswer | undefined>;
  /** From here on it does not keep this process alive, until it is asked again. */
  rest(): void;
  end(): void;
}

function startProcess(start: CompilerStart): CompileProcess {
  // Sources run as .ts, the built package as .js.
  const file = fileURLToPath(new URL(`./compile-process${extname(import.meta.url)}`, import.meta.url));
  const child = fork(file, [JSON.stringify(start)], {
    // Nothing of the host is for it to see.
    env: {},
    execArgv: [],
    serialization: "advanced",
    stdio: ["ignore", "ignore", "ignore", "ipc"],
  });
  const answers: CompileAnswer[] = [];
  let hear: (() => void) | undefined;
  let over = false;
  child.on("message", (answer: CompileAnswer) => {
    answers.push(answer);
    hear?.();
  });
  const ended = new Promise<void>((resolve) => {
    const end = (): void => {
      over = true;
      hear?.();
      resolve();
    };
    child.once("exit", end);
    // It could not be started, or not be told something.
    child.on("error", () => child.pid === undefined && end());
  });
  return {
    get signal() {
      return child.signalCode;
    },
    ended,
    ask(request) {
      child.ref();
      child.channel?.ref();
      // Where it can't be sent, the end of the process says so.
      child.send(request, () => undefined);
    },
    said: (longestMs) =>
      new Promise((resolve) => {
        const timer = setTimeout(() => settle(undefined), longestMs);
        const settle = (answer: CompileAnswer | undefined): void => {
          clearTimeout(timer);
          hear = undefined;
          resolve(answer);
        };
        hear = () => (answers.length > 0 || over) && settle(answers.shift());
        hear();
      }),
    rest() {
      child.unref();
      child.channel?.unref();
    },
    end() {
      child.ref();
      child.kill("SIGKILL");
    },
  };
}
