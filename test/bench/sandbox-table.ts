import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { defaultLimits } from "../../runtime/limits.ts";
import { createV8Engine } from "../../runtime/wasm/v8/engine.ts";
import { archive } from "../runtime/docker/images.ts";
import { dockerdForTests } from "../runtime/docker/dockerd.ts";
import { createHarness, stepInput } from "../runtime/wasm/harness.ts";
import type { Harness } from "../runtime/wasm/harness.ts";
import { median } from "./figure.ts";
import type { Figure } from "./figure.ts";
import { quickjsComponent, smallComponent, wasmtimeHarness } from "./wasmtime-instance.ts";

const bench = "sandbox-table";

/** What the step does in JavaScript; a worker and a process of Node do the same. */
const script =
  "const { event } = JSON.parse(input); const output = JSON.stringify({ name: event.name, data: event.data });";

/** One row: a fresh sandbox, a call of what is in it, and its answer. */
interface Row {
  readonly name: string;
  readonly calls: number;
  readonly call: () => Promise<unknown>;
}

/** The median in milliseconds, one call after the other. */
async function measure({ calls, call }: Row): Promise<number> {
  for (let left = Math.ceil(calls / 10); left > 0; left--) await call();
  const times: number[] = [];
  for (let left = calls; left > 0; left--) {
    const start = performance.now();
    await call();
    times.push(performance.now() - start);
  }
  return median(times);
}

function attempts(harness: Harness, component: Uint8Array): () => Promise<void> {
  const attempt = { program: harness.put(component), input: stepInput(), limits: defaultLimits };
  return async () => {
    const result = await harness.driver.execute(attempt);
    if (!result.ok) throw new Error(result.failure.message);
  };
}

async function worker(input: string): Promise<void> {
  const code = `const { parentPort, workerData: input } = require("node:worker_threads"); ${script} parentPort.postMessage(output);`;
  const worker = new Worker(code, { eval: true, workerData: input });
  await once(worker, "message");
  await worker.terminate();
}

async function nodeProcess(input: string): Promise<void> {
  const code = `const [input] = process.argv.slice(-1); ${script} process.stdout.write(output);`;
  await ended("node", process.execPath, ["-e", code, "--", input]);
}

async function ended(name: string, command: string, args: readonly string[]): Promise<void> {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const [code] = (await once(child, "close")) as [number | null];
  if (code !== 0 || output.length === 0) throw new Error(`${name} ended with ${code}`);
}

/** `docker run` of an image of busybox alone, on an engine of its own; none where no engine can be had. */
async function docker(calls: number): Promise<number | undefined> {
  const engine = await dockerdForTests();
  if (engine === undefined) return undefined;
  try {
    const cli = (args: readonly string[], input?: Buffer) =>
      spawnSync("docker", [`--host=${engine.host}`, ...args], { ...(input && { input }) });
    if (cli(["version"]).status !== 0) return undefined;
    const image = await archive({ "bin/busybox": readFileSync(engine.busybox) });
    const made = cli(["import", "-", "millrace-bench:sandbox"], image);
    if (made.status !== 0) throw new Error(made.stderr.toString());
    const run = ["run", "--rm", "--network=none", "millrace-bench:sandbox", "/bin/busybox", "echo", "{}"];
    return await measure({
      name: "docker run",
      calls,
      call: () => ended("docker", "docker", [`--host=${engine.host}`, ...run]),
    });
  } finally {
    await engine.close();
  }
}

/** A fresh sandbox and a call in it, on our engines and on what else there is, one after the other in one run. */
export async function run(): Promise<readonly Figure[]> {
  const wasmtime = wasmtimeHarness(1);
  const v8 = createHarness(createV8Engine, 1);
  try {
    const [small, quickjs] = [await smallComponent(), await quickjsComponent()];
    const input = JSON.stringify(stepInput());
    const rows: readonly Row[] = [
      { name: "wasmtime, a small component", calls: 5_000, call: attempts(wasmtime, small) },
      { name: "v8, the same", calls: 5_000, call: attempts(v8, small) },
      { name: "wasmtime, JavaScript on QuickJS", calls: 1_000, call: attempts(wasmtime, quickjs) },
      { name: "v8, the same in JavaScript", calls: 1_000, call: attempts(v8, quickjs) },
      { name: "a new V8 worker", calls: 50, call: () => worker(input) },
      { name: "a process of Node", calls: 30, call: () => nodeProcess(input) },
    ];
    const measured: (readonly [name: string, ms: number])[] = [];
    for (const row of rows) measured.push([row.name, await measure(row)]);
    const container = await docker(10);
    if (container === undefined)
      process.stderr.write(`not measured: ${bench}, docker run: no engine can run here\n`);
    else measured.push(["docker run, busybox that prints", container]);
    const first = measured[0]?.[1] ?? Number.NaN;
    return measured.map(([name, value], index) => ({
      bench,
      figure: name,
      value,
      unit: "ms",
      better: "lower",
      ...(index > 0 && { against: "a small component on wasmtime", ratio: value / first }),
    }));
  } finally {
    await wasmtime.close();
    await v8.close();
  }
}
