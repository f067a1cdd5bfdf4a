import { program } from "../runtime/wasm/components.ts";
import { stepInput } from "../runtime/wasm/harness.ts";
import type { Figure } from "./figure.ts";
import { wasmtimeHarness } from "./wasmtime-instance.ts";

const bench = "wasmtime-concurrent";
const attempts = 10_000;
const sleepMs = 5_000;

/** Attempts that are all alive at the same time: each sleeps in its instance for as long as it takes to begin them all. */
export async function run(): Promise<readonly Figure[]> {
  const harness = wasmtimeHarness(2);
  try {
    const sleeping = await program(
      `(call $block (call $subscribe-duration (i64.const ${sleepMs}000000))) (i32.const 0)`,
    );
    await harness.prepare(sleeping);
    const before = process.memoryUsage.rss();
    let peak = before;
    const watch = setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), 50);
    const begun = performance.now();
    const limits = { wallMs: 60_000 };
    const results = await Promise.all(
      Array.from({ length: attempts }, async () => {
        const result = await harness.run(sleeping, { input: stepInput(), limits });
        return result;
      }),
    );
    const took = performance.now() - begun;
    clearInterval(watch);
    const failed = results.find(({ ok }) => !ok);
    if (failed !== undefined) throw new Error(JSON.stringify(failed));
    // Each slept for `sleepMs`: in less than twice that, all did so at the same time.
    if (took > 2 * sleepMs) throw new Error(`they were not alive at the same time: ${took} ms`);
    const gibibyte = 2 ** 30;
    return [
      {
        bench,
        figure: "10,000 alive, memory of the process",
        value: peak / gibibyte,
        unit: "GiB",
        better: "lower",
      },
      {
        bench,
        figure: "10,000 alive, memory of each",
        value: (peak - before) / attempts / 1024,
        unit: "KiB",
        better: "lower",
      },
      {
        bench,
        figure: "all begun and ended, beside their sleep",
        value: took - sleepMs,
        unit: "ms",
        better: "lower",
      },
    ];
  } finally {
    await harness.close();
  }
}
