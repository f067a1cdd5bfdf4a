import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { startThread } from "./thread.ts";

/** A component to transpile. */
export interface TranspileRequest {
  readonly bytes: Uint8Array;
}

/** A component as V8 can run it: JavaScript that links core modules. */
export interface Transpiled {
  /** Body of a function that returns `instantiate`; empty for a core module. */
  readonly glue: string;
  readonly modules: readonly { readonly name: string; readonly bytes: Uint8Array }[];
}

export type TranspileAnswer =
  | ({ readonly ok: true } & Transpiled)
  | { readonly ok: false; readonly message: string };

/** Transpiles components one after the other in a thread of its own. */
export interface Transpiler {
  /** Names the transpiler's version and options: part of every cached artifact's name. */
  readonly version: string;
  transpile(bytes: Uint8Array): Promise<TranspileAnswer>;
  close(): Promise<void>;
}

/** Raised whenever options of the transpiler or what is done to its output change. */
const optionsVersion = 1;

/** An idle thread is let go after this, in milliseconds: the transpiler holds some 100 MB. */
const idleMs = 10_000;

/** A component that takes longer than this is given up, in milliseconds. */
const longestMs = 120_000;

export function createTranspiler(): Transpiler {
  let thread: ReturnType<typeof startThread> | undefined;
  let idle: NodeJS.Timeout | undefined;
  let queue: Promise<unknown> = Promise.resolve();
  let closed = false;

  const drop = async (): Promise<void> => {
    clearTimeout(idle);
    const dropped = thread;
    thread = undefined;
    await dropped?.terminate();
  };

  const transpile = async (bytes: Uint8Array): Promise<TranspileAnswer> => {
    if (closed) return { ok: false, message: "the engine is closed" };
    clearTimeout(idle);
    thread ??= startThread("transpile-worker", {});
    const worker = thread;
    const answer = await new Promise<TranspileAnswer>((resolve) => {
      const end = (message: string): void => resolve({ ok: false, message });
      const timer = setTimeout(end, longestMs, `transpiling took longer than ${longestMs / 1000} s`);
      worker.once("message", resolve);
      worker.once("error", (error: Error) => end(error.message));
      worker.once("exit", () => end("the transpiler's thread ended"));
      worker.once("message", () => clearTimeout(timer));
      worker.once("exit", () => clearTimeout(timer));
      worker.postMessage({ bytes } satisfies TranspileRequest);
    });
    worker.removeAllListeners();
    // Once it has failed, the transpiler's own memory may be in any state.
    if (!answer.ok || closed) await drop();
    else idle = setTimeout(() => void drop(), idleMs).unref();
    return answer;
  };

  return {
    version: `${packageVersion()}-${optionsVersion}`,
    transpile(bytes) {
      const answer = queue.then(() => transpile(bytes));
      queue = answer.catch(() => undefined);
      return answer;
    },
    async close() {
      closed = true;
      await drop();
    },
  };
}

function packageVersion(): string {
  const entry = createRequire(import.meta.url).resolve("@bytecodealliance/jco-transpile/component");
  const manifest = JSON.parse(readFileSync(join(entry, "../../package.json"), "utf8")) as { version: string };
  return manifest.version;
}
