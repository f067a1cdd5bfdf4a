import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import type { Worker } from "node:worker_threads";
import type { RuntimeErrorCode } from "../../errors.ts";
import type { Inspection } from "../component.ts";
import type { BoundedModule } from "./bounds.ts";
import { startThread } from "./thread.ts";

/** A binary to make ready for V8. */
export interface TranslateRequest extends Pick<Inspection, "kind" | "mode"> {
  readonly bytes: Uint8Array;
}

/** A binary as V8 can run it. */
export interface Translated {
  /** A component's definition as JSON text; empty for a core module. */
  readonly component: string;
  readonly modules: readonly BoundedModule[];
}

export type TranslateAnswer =
  | ({ readonly ok: true } & Translated)
  | { readonly ok: false; readonly code: RuntimeErrorCode; readonly message: string };

/** Translates binaries one after the other in a thread of its own. */
export interface Translator {
  translate(request: TranslateRequest): Promise<TranslateAnswer>;
  close(): Promise<void>;
}

/** An idle thread is let go after this, in milliseconds. */
const idleMs = 5_000;

/** A binary that takes longer than this is refused, in milliseconds: the others wait for it. */
const longestMs = 60_000;

/** A translator; `codeCache` is where its thread's compiled code is kept. */
export function createTranslator(codeCache: string): Translator {
  let thread: Worker | undefined;
  let idle: NodeJS.Timeout | undefined;
  let queue: Promise<unknown> = Promise.resolve();
  let closed = false;
  let dropping: Promise<void> = Promise.resolve();

  const drop = (): Promise<void> => {
    clearTimeout(idle);
    const dropped = thread;
    thread = undefined;
    // One that is being dropped already is waited for too: whoever closes wants none to be left.
    dropping = Promise.all([dropping, dropped?.terminate()]).then(() => undefined);
    return dropping;
  };

  const translate = async (request: TranslateRequest): Promise<TranslateAnswer> => {
    if (closed) return broken("the engine is closed");
    clearTimeout(idle);
    thread ??= startThread({ entry: "translate-worker", codeCache });
    thread.ref();
    const answer = await ask(thread, request);
    thread?.unref();
    // A thread that did not answer is still busy, or gone.
    if (!("ok" in answer) || closed) await drop();
    else idle = setTimeout(() => void drop(), idleMs).unref();
    if ("ok" in answer) return answer;
    return answer.why === undefined
      ? broken("the thread that translates gave no answer")
      : { ok: false, code: "ERR_COMPONENT_INVALID", message: `The component can't be run: ${answer.why}.` };
  };

  return {
    translate(request) {
      const answer = queue.then(() => translate(request));
      queue = answer.catch(() => undefined);
      return answer;
    },
    async close() {
      closed = true;
      await drop();
    },
  };
}

/** No answer. `why`: it is the binary's doing, and would be again. */
interface Unanswered {
  readonly why?: string;
}

/** One question to the thread. */
async function ask(thread: Worker, request: TranslateRequest): Promise<TranslateAnswer | Unanswered> {
  const done = new AbortController();
  const { signal } = done;
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  thread.postMessage(request);
  try {
    return await Promise.race([
      once(thread, "message", { signal }).then(([answer]) => answer as TranslateAnswer),
      once(thread, "exit", { signal }).then((): Unanswered => ({})),
      sleep(longestMs, { why: `to translate it takes longer than ${longestMs} ms` }, { signal }),
    ]);
  } catch (error) {
    const spent = (error as NodeJS.ErrnoException).code === "ERR_WORKER_OUT_OF_MEMORY";
    return spent ? { why: "to translate it takes more memory than the engine gives for that" } : {};
  } finally {
    done.abort();
  }
}

function broken(message: string): TranslateAnswer {
  return { ok: false, code: "ERR_ENGINE_BROKEN", message };
}
