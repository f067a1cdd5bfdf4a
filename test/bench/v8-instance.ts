import { randomFillSync } from "node:crypto";
import { fileURLToPath } from "node:url";
import { componentize } from "componentize-qjs";
import { defaultLimits } from "../../runtime/limits.ts";
import { runAttempt } from "../../runtime/wasm/v8/attempt.ts";
import type { AttemptHost } from "../../runtime/wasm/v8/attempt.ts";
import { boundModule } from "../../runtime/wasm/v8/bounds.ts";
import { decodeComponent } from "../../runtime/wasm/v8/component/decode.ts";
import { createV8Engine } from "../../runtime/wasm/v8/engine.ts";
import { createLogBuffer } from "../../runtime/wasm/v8/log-buffer.ts";
import { MessageChannel } from "node:worker_threads";
import { createThreadLine } from "../../runtime/wasm/v8/call-line.ts";
import { createMeter } from "../../runtime/wasm/v8/meter.ts";
import { loadProgram } from "../../runtime/wasm/v8/program.ts";
import type { ProgramModule, RunRequest } from "../../runtime/wasm/v8/protocol.ts";
import { typedInput } from "../../runtime/wasm/v8/typed-input.ts";
import { typed } from "../runtime/wasm/components.ts";
import { createHarness, stepInput } from "../runtime/wasm/harness.ts";
import { percentile } from "./figure.ts";
import type { Figure } from "./figure.ts";

export const name = "v8-instance";

/** The part of the WebAssembly interface that is measured against. */
interface Core {
  instantiate(module: object, imports: object): Promise<{ readonly exports: Record<string, never> }>;
  readonly Module: new (bytes: Uint8Array) => object;
}
const core = (globalThis as unknown as { readonly WebAssembly: Core }).WebAssembly;

const rounds = 10;

/** Returns the event's data as it got them. */
const smallBody =
  "(call $ok (i32.load offset=16 (local.get $input)) (i32.load offset=20 (local.get $input)))";

const script = `
  export const handler = {
    run: ({ event }) => JSON.stringify({ name: event.name, data: JSON.parse(event.data) }),
  };`;

/** The median time of one call, in milliseconds, of each of two that take turns. */
async function medians(
  calls: number,
  ours: () => void,
  theirs: () => Promise<void>,
): Promise<readonly [ours: number, theirs: number]> {
  const times: readonly [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    for (let call = 0; call < calls; call++) {
      const start = performance.now();
      ours();
      times[0].push(performance.now() - start);
    }
    for (let call = 0; call < calls; call++) {
      const start = performance.now();
      await theirs();
      times[1].push(performance.now() - start);
    }
  }
  const [one, other] = times.map((list) =>
    percentile(
      list.toSorted((a, b) => a - b),
      0.5,
    ),
  );
  return [one ?? Number.NaN, other ?? Number.NaN];
}

/** An attempt in this thread, as a worker runs it: a fresh instance, the call, its result, and the memory wiped. */
function attempts(component: Uint8Array): { run(): void; readonly made: (readonly [number, object])[] } {
  const decoded = decodeComponent(component);
  const modules = decoded.modules.map((bytes): ProgramModule => {
    const bounded = boundModule(bytes);
    return { module: new core.Module(bounded.bytes), footprint: bounded.footprint };
  });
  const made: (readonly [number, object])[] = [];
  const meter = createMeter();
  const host: AttemptHost = {
    log: createLogBuffer(),
    meter,
    line: createThreadLine(
      () => undefined,
      new MessageChannel().port1,
      new Int32Array(new SharedArrayBuffer(4)),
    ),
    ambient: {
      wallClock: () => BigInt(Date.now()) * 1_000_000n,
      monotonicClock: () => process.hrtime.bigint(),
      random: (bytes) => void randomFillSync(bytes),
      waitUntil: () => undefined,
    },
  };
  const program = loadProgram({
    key: "bench",
    kind: "component",
    mode: "typed",
    component: JSON.stringify(decoded.component),
    modules,
    bytes: 0,
    declaredBytes: 0,
  });
  const request: RunRequest = {
    key: "bench",
    input: typedInput(stepInput()),
    env: [],
    config: [],
    stepId: "step",
    ...defaultLimits,
  };
  const run = (): void => {
    const { ending } = runAttempt(program, request, host, () => undefined);
    if (ending.kind !== "returned") throw new Error(JSON.stringify(ending));
    meter.end();
  };
  // Which modules are instantiated, and with which imports, for the comparison.
  const spy: AttemptHost = {
    ...host,
    meter: {
      ...meter,
      instantiate(module, imports) {
        made.push([modules.indexOf(module), imports]);
        return meter.instantiate(module, imports);
      },
    },
  };
  runAttempt(program, request, spy, () => undefined);
  meter.end();
  return { run, made };
}

/** The same modules by WebAssembly.instantiate, one after the other, with the same imports; the call of the first is by hand. */
function direct(
  component: Uint8Array,
  made: readonly (readonly [number, object])[],
  byHand: boolean,
): () => Promise<void> {
  const modules = decodeComponent(component).modules.map((bytes) => new core.Module(bytes));
  const decoder = new TextDecoder();
  const data = JSON.stringify(stepInput().event.data);
  return async () => {
    for (const [index, imports] of made) {
      const { exports } = await core.instantiate(modules[index] ?? {}, imports);
      if (!byHand) continue;
      const {
        memory,
        cabi_realloc: realloc,
        "millrace:step/handler@0.1.0#run": call,
      } = exports as unknown as {
        memory: { buffer: ArrayBuffer };
        cabi_realloc: (old: number, size: number, align: number, length: number) => number;
        "millrace:step/handler@0.1.0#run": (input: number) => number;
      };
      const input = realloc(0, 0, 8, 256);
      const text = realloc(0, 0, 1, data.length);
      Buffer.from(memory.buffer).write(data, text);
      let view = new DataView(memory.buffer);
      view.setUint32(input + 16, text, true);
      view.setUint32(input + 20, data.length, true);
      const result = call(input);
      view = new DataView(memory.buffer);
      const output = new Uint8Array(
        memory.buffer,
        view.getUint32(result + 8, true),
        view.getUint32(result + 12, true),
      );
      if (decoder.decode(output) !== data) throw new Error("the call by hand went wrong");
    }
  };
}

/** Attempts through the driver: the median of one after the other (ms), and as many as go at once (per second). */
async function pooled(
  component: Uint8Array,
  count: number,
): Promise<{ readonly p50: number; readonly rate: number }> {
  const harness = createHarness(createV8Engine);
  try {
    const program = harness.put(component);
    const attempt = { program, input: stepInput(), limits: defaultLimits };
    const run = async (): Promise<void> => {
      const result = await harness.driver.execute(attempt);
      if (!result.ok) throw new Error(result.failure.message);
    };
    for (let call = 0; call < count / 10; call++) await Promise.all([run(), run()]);
    const times: number[] = [];
    for (let call = 0; call < count; call++) {
      const start = performance.now();
      await run();
      times.push(performance.now() - start);
    }
    const start = performance.now();
    const lane = async (): Promise<void> => {
      for (let call = 0; call < count / 4; call++) await run();
    };
    await Promise.all([lane(), lane(), lane(), lane()]);
    const rate = (1000 * count) / (performance.now() - start);
    return {
      p50: percentile(
        times.toSorted((a, b) => a - b),
        0.5,
      ),
      rate,
    };
  } finally {
    await harness.close();
  }
}

async function measure(
  label: string,
  component: Uint8Array,
  calls: number,
  byHand: boolean,
): Promise<readonly Figure[]> {
  const { run, made } = attempts(component);
  const theirs = direct(component, made, byHand);
  for (let call = 0; call < calls; call++) run();
  const [ours, bare] = await medians(calls, run, theirs);
  const { p50, rate } = await pooled(component, rounds * calls);
  const bench = name;
  const what = byHand ? "and the call by hand" : "without the call";
  return [
    {
      bench,
      figure: `${label}, instance + call`,
      value: ours,
      unit: "ms",
      better: "lower",
      against: `WebAssembly.instantiate of its modules, ${what}`,
      ratio: ours / bare,
    },
    { bench, figure: `${label}, through the pool`, value: p50, unit: "ms", better: "lower" },
    { bench, figure: `${label}, 4 at once on 2 threads`, value: rate, unit: "attempts/s", better: "higher" },
  ];
}

/** A fresh instance and one call of a small typed component, and of one in JavaScript on QuickJS. */
export async function run(): Promise<readonly Figure[]> {
  const witPath = fileURLToPath(new URL("../../wit", import.meta.url));
  const { component } = await componentize({ witPath, world: "step", jsSource: script, sync: true });
  return [
    ...(await measure("typed", await typed(smallBody), 500, true)),
    ...(await measure("quickjs", component, 100, false)),
  ];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const figure of await run()) console.log(JSON.stringify(figure));
}
