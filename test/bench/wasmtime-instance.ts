import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { componentize } from "componentize-qjs";
import { defaultLimits } from "../../runtime/limits.ts";
import { createWasmtimeEngine } from "../../runtime/wasm/wasmtime/engine.ts";
import { loadBinding } from "../../runtime/wasm/wasmtime/load.ts";
import { builtBinding } from "../../runtime/wasm/wasmtime/place.ts";
import { typed } from "../runtime/wasm/components.ts";
import { createHarness, stepInput } from "../runtime/wasm/harness.ts";
import type { Harness } from "../runtime/wasm/harness.ts";
import { median } from "./figure.ts";
import type { Figure } from "./figure.ts";
import { withFolder } from "./folder.ts";

const rounds = 5;

/** Returns the event's data as it got them. */
const smallBody =
  "(call $ok (i32.load offset=16 (local.get $input)) (i32.load offset=20 (local.get $input)))";

const script = `
  export const handler = {
    run: ({ event }) => JSON.stringify({ name: event.name, data: JSON.parse(event.data) }),
  };`;

/** A small component of the typed world. */
export function smallComponent(): Promise<Uint8Array> {
  return typed(smallBody);
}

/** A component of the typed world in JavaScript, on QuickJS. */
export async function quickjsComponent(): Promise<Uint8Array> {
  const witPath = fileURLToPath(new URL("../../wit", import.meta.url));
  const { component } = await componentize({ witPath, world: "step", jsSource: script, sync: true });
  return component;
}

/** A driver on Wasmtime; throws where its addon was not built. */
export function wasmtimeHarness(parallelism: number, cacheDir?: string): Harness {
  const loaded = loadBinding();
  if (!loaded.ok) throw new Error(`${loaded.reason}: npm run build:wasmtime`);
  const { binding, from: addon } = loaded;
  return createHarness(
    (options) => createWasmtimeEngine({ binding, addon, ...options }),
    parallelism,
    cacheDir,
  );
}

/** The program that loops over instances and calls in Rust. */
function rustLoop(): string {
  const build = fileURLToPath(new URL("../../runtime/wasm/wasmtime/build.ts", import.meta.url));
  execFileSync(process.execPath, [build, "rust-loop"], { stdio: ["ignore", "ignore", "inherit"] });
  return join(
    dirname(builtBinding(process.env) ?? ""),
    process.platform === "win32" ? "rust-loop.exe" : "rust-loop",
  );
}

/** What a run of it says, in microseconds. */
interface Loop {
  readonly median: number;
  readonly mean: number;
  /** Reading the input alone. */
  readonly read: number;
}

function looped(program: string, args: readonly string[]): Loop {
  return JSON.parse(execFileSync(program, args, { encoding: "utf8" })) as Loop;
}

/** Microseconds for an attempt: one after the other (the median), and of many at once on one thread (the mean). */
interface FromNode {
  readonly alone: number;
  readonly together: number;
  /** What all threads of the process computed for one of those many: other work on the machine does not count. */
  readonly computed: number;
}

async function fromNode(run: () => Promise<void>, calls: number): Promise<FromNode> {
  const times: number[] = [];
  for (let call = 0; call < calls; call++) {
    const start = performance.now();
    await run();
    times.push(1000 * (performance.now() - start));
  }
  const lanes = 64;
  const start = performance.now();
  const before = process.cpuUsage();
  const lane = async (): Promise<void> => {
    for (let call = 0; call < calls / lanes; call++) await run();
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  const made = lanes * Math.ceil(calls / lanes);
  const { user, system } = process.cpuUsage(before);
  const together = (1000 * (performance.now() - start)) / made;
  return { alone: median(times), together, computed: (user + system) / made };
}

/** A fresh instance and one call from Node, beside the same component in a loop in Rust; they take turns. */
export async function measureInstance(
  bench: string,
  component: Uint8Array,
  calls: number,
): Promise<readonly Figure[]> {
  const loop = rustLoop();
  const harness = wasmtimeHarness(1);
  try {
    return await withFolder(async (folder) => {
      const [file, inputFile] = [join(folder, "step.wasm"), join(folder, "input.json")];
      const input = stepInput();
      writeFileSync(file, component);
      writeFileSync(inputFile, JSON.stringify(input));
      const attempt = { program: harness.put(component), input, limits: defaultLimits };
      const run = async (): Promise<void> => {
        const result = await harness.driver.execute(attempt);
        if (!result.ok) throw new Error(result.failure.message);
      };
      for (let call = 0; call < calls / 10; call++) await run();
      const [node, plain, unending]: [FromNode[], Loop[], number[]] = [[], [], []];
      for (let round = 0; round < rounds; round++) {
        node.push(await fromNode(run, calls));
        plain.push(looped(loop, [file, inputFile, String(calls)]));
        unending.push(looped(loop, [file, inputFile, String(calls), "no-epochs"]).median);
      }
      const rust = median(plain.map((loop) => loop.median));
      const alone = median(node.map((round) => round.alone));
      const figure = (name: string, value: number): Figure => ({
        bench,
        figure: name,
        value,
        unit: "µs",
        better: "lower",
      });
      const beside = (name: string, value: number, theirs: number): Figure => ({
        ...figure(name, value),
        against: "the same in a loop in Rust",
        ratio: value / theirs,
      });
      return [
        beside(
          "instance + call, 64 in flight on 1 thread, mean",
          median(node.map(({ together }) => together)),
          median(plain.map(({ mean }) => mean)),
        ),
        beside(
          "of which: processor time, of all threads",
          median(node.map(({ computed }) => computed)),
          rust,
        ),
        beside("instance + call, one after the other, median", alone, rust),
        figure("rust-loop, median", rust),
        figure("of which: reading the input's JSON", median(plain.map(({ read }) => read))),
        beside("rust-loop that nothing can end: no epochs", median(unending), rust),
        figure("crossing to the engine's thread and back", alone - rust),
      ];
    });
  } finally {
    await harness.close();
  }
}

/** A small component of the typed world. */
export async function run(): Promise<readonly Figure[]> {
  return measureInstance("wasmtime-instance", await smallComponent(), 20_000);
}
