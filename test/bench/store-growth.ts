import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { type Figure, median } from "./figure.ts";
import { withFolder } from "./folder.ts";
import { idleDrivers, oneStepHost, throughput } from "./load.ts";

const finishedRuns = 1_000_000;
const round = 20_000;
const rounds = 5;

/** Throughput of a store with a million finished runs against an empty one, and what 100,000 runs leave in memory. */
export async function run(): Promise<readonly Figure[]> {
  return withFolder(async (folder) => {
    const open = (name: string) =>
      oneStepHost({ store: `sqlite:${join(folder, name)}`, drivers: idleDrivers });
    const grown = await open("grown.db");
    await throughput(grown, 20_000);
    const before = heapUsed();
    await throughput(grown, 100_000);
    const left = heapUsed() - before;
    await throughput(grown, finishedRuns - 120_000);

    // In turns, so that what else the machine does meets both alike; an empty store is a new one each time.
    const fresh: number[] = [];
    const full: number[] = [];
    for (let i = 0; i < rounds; i += 1) {
      const empty = await open(`empty-${i}.db`);
      fresh.push(await throughput(empty, round));
      await empty.host.close();
      full.push(await throughput(grown, round));
    }
    await grown.host.close();
    const bench = "store-growth";
    const against = "the same host on an empty store";
    return [
      {
        bench,
        figure: "throughput",
        value: median(full),
        unit: "runs/s",
        against,
        ratio: median(full) / median(fresh),
        better: "higher",
      },
      {
        bench,
        figure: "memory",
        value: left / 100_000,
        unit: "bytes of heap left per finished run",
        better: "lower",
      },
    ];
  });
}

function heapUsed(): number {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
  return process.memoryUsage().heapUsed;
}
