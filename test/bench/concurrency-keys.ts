import type { FunctionDocument } from "../../host/function/document.ts";
import { type Figure, median } from "./figure.ts";
import { controlledHost, idleDrivers, throughput } from "./load.ts";
import { withBenchStores } from "./stores.ts";

/** Runs in one round, and how many of these. */
const round = 5_000;
const rounds = 4;
const warmUp = 2_000;
const keys = 10_000;

const limited: Partial<FunctionDocument> = { concurrency: [{ limit: 1, key: "data.key" }] };

/** One-step runs per second of a function that lets one run of each of 10,000 keys execute at a time, beside one without limits. */
export async function run(): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  await withBenchStores(async ({ store, settings, open }) => {
    const data = (n: number) => ({ key: n % keys });
    const host = (name: string, more: Partial<FunctionDocument>) =>
      controlledHost({ ...open(name), drivers: idleDrivers }, more, data);
    const keyed = await host("keyed", limited);
    const plain = await host("plain", {});
    const ours: number[] = [];
    const others: number[] = [];
    await throughput(plain, warmUp);
    await throughput(keyed, warmUp);
    // In turns, and each as often first, so that what else the machine does meets both alike.
    for (let i = 0; i < rounds; i += 1) {
      const inTurn = [
        [keyed, ours],
        [plain, others],
      ] as const;
      for (const [queue, speeds] of i % 2 === 0 ? inTurn : inTurn.toReversed())
        speeds.push(await throughput(queue, round));
    }
    await keyed.host.close();
    await plain.host.close();
    figures.push({
      bench: "concurrency-keys",
      figure: `one-step runs by 10,000 keys, ${store}`,
      value: median(ours),
      unit: "runs/s",
      against: "runs without limits",
      ...settings,
      ratio: median(ours.map((speed, i) => speed / (others[i] ?? speed))),
      better: "higher",
    });
  });
  return figures;
}
