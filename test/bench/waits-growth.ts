import { createHash, randomBytes } from "node:crypto";
import { systemClock } from "../../host/clock.ts";
import { isNatsUrl } from "../../host/nats/options.ts";
import { openSession } from "../../host/nats/session.ts";
import { openDatabase } from "../../host/sqlite/database.ts";
import { storeLocation } from "../../host/sqlite/location.ts";
import { createNatsWaits } from "../../host/state/nats-waits.ts";
import { createSqliteWaits } from "../../host/state/sqlite-waits.ts";
import type { Waits } from "../../host/state/state.ts";
import { type Figure, median } from "./figure.ts";
import { withBenchStores, type BenchStore } from "./stores.ts";
import { waitingHost } from "./waits.ts";

const few = 1_000;
const many = Number(process.env["MILLRACE_BENCH_ARMED"] ?? 1_000_000);
const round = 5_000;
const rounds = 5;
const armedAtOnce = 1_000;

/** Waits ended per second with a million of others armed, against a thousand. */
export async function run(): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  await withBenchStores(async ({ store, settings, open }) => {
    await arm(open("few"), few);
    await arm(open("many"), many);
    const small = await waitingHost(open("few"));
    const large = await waitingHost(open("many"));
    const ended = { small: [] as number[], large: [] as number[] };
    // In turns, so that what else the machine does meets both alike.
    for (let i = 0; i < rounds; i += 1) {
      for (const [name, waiting] of [["small", small] as const, ["large", large] as const]) {
        await waiting.arm(round);
        ended[name].push(await waiting.end(round));
      }
    }
    await small.host.close();
    await large.host.close();
    figures.push({
      bench: "waits-growth",
      figure: `ended, ${many} others armed, ${store}`,
      value: median(ended.large),
      unit: "waits/s",
      against: `the same with ${few} armed`,
      ...settings,
      ratio: median(ended.large) / median(ended.small),
      better: "higher",
    });
  });
  return figures;
}

/** Arms waits of runs that never go on, each with a key of its own. */
async function arm(config: ReturnType<BenchStore["open"]>, count: number): Promise<void> {
  const { waits, close } = await openWaits(config);
  for (let i = 0; i < count; i += armedAtOnce) {
    await waits.arm(
      Array.from({ length: Math.min(armedAtOnce, count - i) }, (_, k) => ({
        key: createHash("sha256")
          .update(`other ${i + k}`)
          .digest("hex")
          .slice(0, 12),
        runId: randomBytes(16).toString("hex"),
        wait: "w1",
        until: Date.now() + 30 * 86_400_000,
      })),
    );
  }
  await close();
}

async function openWaits({
  store,
  nats,
}: ReturnType<BenchStore["open"]>): Promise<{ waits: Waits; close(): Promise<void> }> {
  if (isNatsUrl(store)) {
    const session = await openSession(store, { ...nats, clock: systemClock, name: "arming" });
    return { waits: createNatsWaits(session), close: () => session.close() };
  }
  const database = openDatabase(storeLocation(store));
  return { waits: createSqliteWaits(database), close: () => database.close() };
}
