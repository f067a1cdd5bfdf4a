import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Worker } from "node:worker_threads";
import type { Inspection } from "../component.ts";
import { startThread } from "./thread.ts";

/** A binary to make ready for V8. */
export interface TranspileRequest {
  readonly kind: Inspection["kind"];
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
  transpile(request: TranspileRequest): Promise<TranspileAnswer>;
  close(): Promise<void>;
}

/** Raised whenever options of the transpiler or what is done to its output change. */
const optionsVersion = 1;

/** An idle thread is let go after this, in milliseconds: the transpiler holds some 100 MB. */
const idleMs = 10_000;

/** A component that takes longer than this is given up, in milliseconds. */
const longestMs = 120_000;

export function createTranspiler(): Transpiler {
  let thread: Worker | undefined;
  let idle: NodeJS.Timeout | undefined;
  let queue: Promise<unknown> = Promise.resolve();
  let closed = false;

  const drop = async (): Promise<void> => {
    clearTimeout(idle);
    const dropped = thread;
    thread = undefined;
    await dropped?.terminate();
  };

  const transpile = async (request: TranspileRequest): Promise<TranspileAnswer> => {
    if (closed) return { ok: false, message: "the engine is closed" };
    clearTimeout(idle);
    thread ??= startThread("transpile-worker", {});
    thread.ref();
    const answer = await ask(thread, request);
    thread?.unref();
    // Once it has failed, the transpiler's own memory may be in any state.
    if (!answer.ok || closed) await drop();
    else idle = setTimeout(() => void drop(), idleMs).unref();
    return answer;
  };

  return {
    version: `${packageVersion()}-${optionsVersion}`,
    transpile(request) {
      const answer = queue.then(() => transpile(request));
      queue = answer.catch(() => undefined);
      return answer;
    },
    async close() {
      closed = true;
      await drop();
    },
  };
}

/** One question to the thread; its failure or its end is an answer too. */
async function ask(thread: Worker, request: TranspileRequest): Promise<TranspileAnswer> {
  const done = new AbortController();
  const event = async (name: "message" | "exit"): Promise<unknown> =>
    (await once(thread, name, { signal: done.signal }))[0];
  const failed = (message: string): TranspileAnswer => ({ ok: false, message });
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  thread.postMessage(request);
  try {
    return await Promise.race([
      event("message") as Promise<TranspileAnswer>,
      event("exit").then(() => failed("the transpiler's thread ended")),
      sleep(longestMs, failed(`it takes longer than ${longestMs / 1000} s`), { signal: done.signal }),
    ]);
  } catch (error) {
    return failed((error as Error).message);
  } finally {
    done.abort();
  }
}

function packageVersion(): string {
  const entry = createRequire(import.meta.url).resolve("@bytecodealliance/jco-transpile/component");
  const manifest = JSON.parse(readFileSync(join(entry, "../../package.json"), "utf8")) as { version: string };
  return manifest.version;
}
