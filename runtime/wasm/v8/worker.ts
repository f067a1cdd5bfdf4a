import { randomFillSync } from "node:crypto";
import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { runAttempt } from "./attempt.ts";
import type { BootData } from "./boot-worker.ts";
import { createThreadLine } from "./call-line.ts";
import { createMeter } from "./meter.ts";
import { loadProgram } from "./program.ts";
import type { LoadedProgram } from "./program.ts";
import type { FromWorker, ToWorker } from "./protocol.ts";
import type { Ambient } from "./wasi/world.ts";

/** What a worker is started with. */
export interface WorkerData extends BootData {
  readonly entry: "worker";
  readonly log: SharedArrayBuffer;
  /** Counts answers to calls, which come on this port. */
  readonly bell: SharedArrayBuffer;
  readonly answers: MessagePort;
}

const port = parentPort;
if (port === null) throw new Error("runtime/wasm/v8/worker is the entry of a worker thread");
const { log, bell, answers } = workerData as WorkerData;
const meter = createMeter();
const programs = new Map<string, LoadedProgram>();
const never = new Int32Array(new SharedArrayBuffer(4));

const ambient: Ambient = {
  wallClock: () => BigInt(Date.now()) * 1_000_000n,
  monotonicClock: () => process.hrtime.bigint(),
  random: (bytes) => {
    randomFillSync(bytes);
  },
  waitUntil(time) {
    for (let now = process.hrtime.bigint(); now < time; now = process.hrtime.bigint()) {
      // A thread may wake a little early, and sleeps no longer than 2^31 ms at once.
      Atomics.wait(never, 0, 0, Math.min(Number(time - now) / 1e6 + 0.05, 1e9));
    }
  },
};

const answer = (message: FromWorker, transfer: readonly ArrayBuffer[] = []): void =>
  port.postMessage(message, [...transfer]);
const line = createThreadLine(answer, answers, new Int32Array(bell));

port.on("message", (message: ToWorker) => {
  if (message.type === "load") {
    programs.set(message.program.key, loadProgram(message.program));
    answer({ type: "loaded" });
  } else if (message.type === "unload") {
    programs.delete(message.key);
  } else {
    run(message.run);
  }
});
answer({ type: "ready" });

function run(request: Extract<ToWorker, { type: "run" }>["run"]): void {
  const program = programs.get(request.key);
  if (program === undefined) throw new Error(`the worker was not given ${request.key}`);
  let answered = false;
  const end = runAttempt(program, request, { log, ambient, meter, line }, (early) => {
    answered = true;
    answer({ type: "ended", ...early });
  });
  if (!answered) answer({ type: "ended", ...end });
  // Behind the answer: wiping is not in the attempt's time.
  meter.end();
}
