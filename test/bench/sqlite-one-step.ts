import { join } from "node:path";
import type { Figure } from "./figure.ts";
import { withFolder } from "./folder.ts";
import { idleDrivers, measure, oneStepHost } from "./load.ts";

/** One-step runs on `sqlite:`, durable, with a step that does nothing in this process. */
export function measureOneStep(): ReturnType<typeof measure> {
  return withFolder(async (folder) => {
    const queue = await oneStepHost({ store: `sqlite:${join(folder, "store.db")}`, drivers: idleDrivers });
    try {
      return await measure(queue, { rounds: 3, count: 30_000, samples: 500 });
    } finally {
      await queue.host.close();
    }
  });
}

export async function run(): Promise<readonly Figure[]> {
  const { throughput, p50, p99 } = await measureOneStep();
  const bench = "sqlite-one-step";
  return [
    { bench, figure: "throughput", value: throughput, unit: "runs/s", better: "higher" },
    { bench, figure: "p50", value: p50, unit: "ms", better: "lower" },
    { bench, figure: "p99", value: p99, unit: "ms", better: "lower" },
  ];
}
