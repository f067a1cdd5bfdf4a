import { stepInput } from "../runtime/wasm/harness.ts";
import { median } from "./figure.ts";
import type { Figure } from "./figure.ts";
import { quickjsComponent, smallComponent, wasmtimeHarness } from "./wasmtime-instance.ts";

const bench = "first-run";
const rounds = 5;

/** The first run of a component that was just pushed: prepared (compiled ahead of time), never instantiated before. */
async function measure(label: string, component: Uint8Array): Promise<readonly Figure[]> {
  const first: number[] = [];
  const prepared: number[] = [];
  const fromDisk: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const harness = wasmtimeHarness(1);
    try {
      let start = performance.now();
      const refused = await harness.prepare(component);
      if (refused !== undefined) throw new Error(refused.message);
      prepared.push(performance.now() - start);
      start = performance.now();
      const result = await harness.run(component, { input: stepInput() });
      if (!result.ok) throw new Error(result.failure.message);
      first.push(performance.now() - start);
      fromDisk.push(await again(harness.cacheDir, component));
    } finally {
      await harness.close();
    }
  }
  const figure = (name: string, values: readonly number[]): Figure => ({
    bench,
    figure: `${label}, ${name}`,
    value: median(values),
    unit: "ms",
    better: "lower",
  });
  return [
    figure("first run once prepared", first),
    figure("prepare: compiled ahead of time", prepared),
    figure("first run of a new host, compiled code on disk", fromDisk),
  ];
}

/** An engine that starts with the compiled code of another. */
async function again(cacheDir: string, component: Uint8Array): Promise<number> {
  const harness = wasmtimeHarness(1, cacheDir);
  const start = performance.now();
  const result = await harness.run(component, { input: stepInput() });
  const took = performance.now() - start;
  // Not the harness: the folder is still in use.
  await harness.driver.close();
  if (!result.ok) throw new Error(result.failure.message);
  return took;
}

/** A small component of the typed world, and one in JavaScript on QuickJS. */
export async function run(): Promise<readonly Figure[]> {
  return [
    ...(await measure("typed", await smallComponent())),
    ...(await measure("quickjs", await quickjsComponent())),
  ];
}
