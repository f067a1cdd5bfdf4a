// The thread in which steps are put into the guest: it runs the step's code, which may never end, and a thread can be
// ended from outside.
import { parentPort } from "node:worker_threads";
import { decodeComponent } from "../../runtime/wasm/v8/component/decode.ts";
import type { CoreExports, Instantiation } from "../../runtime/wasm/v8/component/instance.ts";
import { linkStep } from "../../runtime/wasm/v8/program.ts";
import { createInput } from "../../runtime/wasm/v8/stdio.ts";
import { typedInput } from "../../runtime/wasm/v8/typed-input.ts";
import type { StepWorld } from "../../runtime/wasm/v8/wasi/world.ts";
import { webAssembly, type WasmMemory, type WasmModule } from "../../runtime/wasm/v8/webassembly.ts";
import { boundMemory, type CoreState, stateExport, withState } from "./component-state.ts";
import type { BuildNews, BuildRequest } from "./guest/evaluate.ts";
import type { SnapshotAnswer, SnapshotRequest, Template } from "./snapshots.ts";

/** A template that is ready to be instantiated. */
interface Loaded {
  readonly template: Template;
  instantiate(world: StepWorld): { call(input?: unknown): unknown; state(): CoreState };
}

const port = parentPort;
if (port === null) throw new Error("host/build/snapshot-worker is the entry of a worker thread");

/** What a step's module may take while it is loaded, in bytes. */
const mostMemory = 512 * 1024 * 1024;

const templates = new Map<string, Loaded>();

port.on("message", (request: SnapshotRequest) => {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  port.postMessage(answer(request));
});

function answer({ template, ...request }: SnapshotRequest): SnapshotAnswer {
  try {
    const loaded = templates.get(template.key) ?? load(template);
    templates.set(template.key, loaded);
    const eager = take(loaded, { ...request, deferred: false });
    // What the module did while it was loaded is in the memory: another one begins before that.
    return eager.news.kind === "deferred" ? take(loaded, { ...request, deferred: true }) : eager;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    // Of code that is sound otherwise, endless recursion ends so: the stack of the thread, or that of the guest, is full.
    const trapped = error instanceof RangeError || (error as Error).name === "RuntimeError";
    return { news: { kind: trapped ? "trapped" : "broken", message } };
  }
}

function load(template: Template): Loaded {
  const { component, modules } = decodeComponent(template.bytes);
  const compiled: WasmModule[] = modules.map(
    (bytes) => new webAssembly.Module(boundMemory(bytes, mostMemory)),
  );
  const { linked, entry } = linkStep(component, template.world);
  return {
    template,
    instantiate(world) {
      let holder: CoreExports = {};
      const instantiation: Instantiation = {
        world,
        core: [],
        instances: [],
        instantiate(number, imports) {
          const module = compiled[number];
          if (module === undefined) throw new Error(`the template lacks its core module ${number}`);
          const { exports } = new webAssembly.Instance(module, imports);
          if (stateExport in exports) holder = exports;
          return exports;
        },
      };
      for (const step of linked.steps) step(instantiation);
      return {
        call: (input) => entry.call(instantiation, input === undefined ? [] : [input]),
        state: () => stateOf(holder),
      };
    },
  };
}

function take({ template, instantiate }: Loaded, request: BuildRequest): SnapshotAnswer {
  const world = createWorld(template.world === "program" ? JSON.stringify(request) : "");
  const { call, state } = instantiate(world);
  const result = template.world === "typed" ? call(requestInput(request)) : call();
  const text = template.world === "typed" ? (result as [0, string])[1] : world.printed();
  const news = JSON.parse(text) as BuildNews;
  return news.kind === "ready" ? { news, component: withState(template.bytes, state()) } : { news };
}

/** The request as the data of an event. */
function requestInput(request: BuildRequest): unknown {
  const ctx = {
    runId: "",
    functionId: "",
    functionVersion: "",
    stepId: "",
    attempt: 1,
    deadline: 0,
    idempotencyKey: "",
  };
  return typedInput({ event: { id: "", name: "", data: { ...request }, ts: 0 }, steps: {}, ctx });
}

function stateOf(exports: CoreExports): CoreState {
  const globals = new Map<string, number>();
  for (const [name, value] of Object.entries(exports)) {
    if (typeof value === "object" && value !== null && "value" in value)
      globals.set(name, Number(value.value));
  }
  const memory = new Uint8Array((exports["memory"] as WasmMemory).buffer).slice();
  // No call is under way: what lies below the stack pointer is dead.
  const stack = globals.get(stateExport) ?? 0;
  const base = [...globals].find(([name]) => name.endsWith(":memory_base"))?.[1] ?? 0;
  if (stack <= base) memory.fill(0, 0, stack);
  return { memory, globals };
}

/** A world in which nothing happens and no time passes but what is slept, so that equal steps give equal components. */
function createWorld(stdin: string): StepWorld & { printed(): string } {
  let now = 0n;
  let random = 0;
  let printed = "";
  return {
    args: [],
    env: [],
    stdin: createInput(stdin),
    stdout: {
      write(bytes) {
        printed += Buffer.from(bytes).toString("latin1");
      },
    },
    stderr: { write() {} },
    log() {},
    exit(status) {
      throw new Error(`it exited with code ${status}`);
    },
    threw() {},
    ambient: {
      wallClock: () => now,
      monotonicClock: () => now,
      random(bytes) {
        for (const index of bytes.keys()) bytes[index] = (random += 41) & 0xff;
      },
      waitUntil(time) {
        if (time > now) now = time;
      },
    },
    memoryBytes: 2 ** 32,
    printed: () => Buffer.from(printed, "latin1").toString("utf8"),
  };
}
