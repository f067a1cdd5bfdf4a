import { join } from "node:path";
import type { Figure } from "./figure.ts";
import { withFolder } from "./folder.ts";
import { idleDrivers, measure, threeStepsHost } from "./load.ts";

/** Runs of three steps in sequence on `sqlite:`, durable, with steps that do nothing in this process. */
export function measureThreeSteps(): ReturnType<typeof measure> {
  return withFolder(async (folder) => {
    const queue = await threeStepsHost({ store: `sqlite:${join(folder, "store.db")}`, drivers: idleDrivers });
    try {
      return await measure(queue, { rounds: 3, count: 10_000, samples: 500 });
    } finally {
      await queue.host.close();
    }
  });
}

export async function run(): Promise<readonly Figure[]> {
  const { throughput, p50, p99 } = await measureThreeSteps();
  const bench = "sqlite-three-steps";
  return [
    { bench, figure: "throughput", value: throughput, unit: "runs/s", better: "higher" },
    { bench, figure: "p50", value: p50, unit: "ms", better: "lower" },
    { bench, figure: "p99", value: p99, unit: "ms", better: "lower" },
  ];
}
