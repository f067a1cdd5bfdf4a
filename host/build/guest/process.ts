import environment from "wasi:cli/environment@0.2.12";
import { phase, touchOutside } from "./phase.ts";
import { decodeUtf8 } from "./text.ts";

/** What differs between the process of a program and that of a function. */
export interface ProcessParts {
  readonly argv: () => readonly string[];
  readonly exit: (code: number) => never;
  readonly write: (stream: "stdout" | "stderr", text: string) => void;
  readonly readStdin: () => string;
}

type Listener = (value?: unknown) => void;

function output(stream: "stdout" | "stderr", { write }: ProcessParts): object {
  return {
    isTTY: false,
    fd: stream === "stdout" ? 1 : 2,
    write(chunk: unknown, encoding?: unknown, callback?: unknown): boolean {
      write(stream, chunk instanceof Uint8Array ? decodeUtf8(chunk) : String(chunk));
      const done = typeof encoding === "function" ? encoding : callback;
      if (typeof done === "function") queueMicrotask(() => done());
      return true;
    },
    end(chunk?: unknown): void {
      if (chunk !== undefined) write(stream, String(chunk));
    },
    on: () => undefined,
    once: () => undefined,
  };
}

/** The step's variables, read when the first of them is looked at: those of an attempt, not of the build. */
function env(): object {
  const variables: Record<string, string> = {};
  let isRead = false;
  const read = (): void => {
    touchOutside("the environment");
    if (isRead || phase.building) return;
    isRead = true;
    for (const [name, value] of environment.getEnvironment()) variables[name] ??= value;
  };
  return new Proxy(variables, {
    get(target, name, receiver) {
      read();
      return Reflect.get(target, name, receiver) as unknown;
    },
    set(target, name, value) {
      read();
      return Reflect.set(target, name, String(value));
    },
    has(target, name) {
      read();
      return Reflect.has(target, name);
    },
    ownKeys(target) {
      read();
      return Reflect.ownKeys(target);
    },
    getOwnPropertyDescriptor(target, name) {
      read();
      return Reflect.getOwnPropertyDescriptor(target, name);
    },
  });
}

/** Stdin as one chunk of text, for `for await` and for "data" and "end". */
function input({ readStdin }: ProcessParts): object {
  let listening = false;
  const listeners: Record<string, Listener[]> = {};
  const emit = (event: string, value?: unknown): void =>
    listeners[event]?.forEach((listener) => listener(value));
  const stdin = {
    isTTY: false,
    fd: 0,
    setEncoding: () => stdin,
    resume: () => stdin,
    pause: () => stdin,
    on(event: string, listener: Listener): object {
      (listeners[event] ??= []).push(listener);
      if (!listening) {
        listening = true;
        queueMicrotask(() => {
          const text = readStdin();
          if (text !== "") emit("data", text);
          emit("end");
          emit("close");
        });
      }
      return stdin;
    },
    async *[Symbol.asyncIterator](): AsyncGenerator<string> {
      const text = readStdin();
      if (text !== "") yield text;
    },
  };
  return stdin;
}

/** Puts in place as much of Node's process as a sandboxed program can have. */
export function installProcess(parts: ProcessParts): void {
  const process: Record<string, unknown> = {
    get argv(): readonly string[] {
      return parts.argv();
    },
    argv0: "node",
    execArgv: [],
    env: env(),
    exitCode: undefined,
    pid: 1,
    platform: "wasi",
    arch: "wasm32",
    version: "",
    // Packages take `versions.node` for a sign that Node's modules are there.
    versions: {},
    title: "step",
    cwd: () => "/",
    uptime: () => performance.now() / 1000,
    hrtime: Object.assign(
      (since: readonly [number, number] = [0, 0]): [number, number] => {
        const now = Math.round(performance.now() * 1e6) - since[0] * 1e9 - since[1];
        return [Math.floor(now / 1e9), now % 1e9];
      },
      { bigint: () => BigInt(Math.round(performance.now() * 1e6)) },
    ),
    nextTick: (callback: Listener, ...args: unknown[]) =>
      queueMicrotask(() => callback(...(args as [unknown]))),
    emitWarning: (warning: unknown) => console.warn(warning),
    exit: (code: unknown = process.exitCode) => parts.exit(Number(code ?? 0) & 0xff),
    on: () => process,
    once: () => process,
    off: () => process,
    stdin: input(parts),
    stdout: output("stdout", parts),
    stderr: output("stderr", parts),
  };
  Object.assign(globalThis, { process });
}
