import { functionVersion } from "../../host/function/define.ts";
import { createHost, type Host, type HostConfig } from "../../host/index.ts";
import { inProcessDrivers } from "../host/in-process-driver.ts";
import { type Figure, median } from "./figure.ts";
import { idleDrivers, oneStepHost, throughput, type Queue } from "./load.ts";
import { withBenchStores } from "./stores.ts";

/** Waits that are armed, and ended, in one round; and how many of these. */
const round = 5_000;
const rounds = 3;
const inFlight = 500;

/** A host whose runs wait for an event that has their number, and then do nothing. */
export async function waitingHost(config: Omit<HostConfig, "drivers">): Promise<Waiting> {
  const host = await createHost({ ...config, drivers: inProcessDrivers({ only: () => null }) });
  const match = "async.data.n == event.data.n";
  const edge = { step: "$trigger", async: { event: "bench/ended", ttl: "30d", match } };
  const document = { id: "waits", triggers: [{ event: "bench/begun" }], steps: { only: { after: [edge] } } };
  await host.deploy([functionVersion(document, {}, 0)]);
  let begun = 0;
  let ended = 0;
  const send = async (name: string, from: number, count: number): Promise<void> => {
    let next = from;
    await Promise.all(
      Array.from({ length: inFlight }, async () => {
        while (next < from + count) await host.publish([{ name, data: { n: next++ } as never }]);
      }),
    );
  };
  const times = (type: "wait.armed" | "run.completed", count: number): Promise<void> =>
    new Promise((resolve) => {
      let left = count;
      const unsubscribe = host.live.subscribe((message) => {
        if (message.type !== "history" || message.entry.type !== type || --left > 0) return;
        unsubscribe();
        resolve();
      });
    });
  return {
    host,
    async arm(count) {
      const armed = times("wait.armed", count);
      await send("bench/begun", begun, count);
      begun += count;
      await armed;
    },
    async end(count) {
      const all = times("run.completed", count);
      const from = performance.now();
      await send("bench/ended", ended, count);
      ended += count;
      await all;
      return (count / (performance.now() - from)) * 1_000;
    },
    skip(count) {
      ended += count;
    },
  };
}

interface Waiting {
  readonly host: Host;
  /** Begins so many runs; resolves when each waits. */
  arm(count: number): Promise<void>;
  /** Ends the waits that began first; resolves to how many a second. */
  end(count: number): Promise<number>;
  /** Leaves those that began first as they are. */
  skip(count: number): void;
}

/** Waits ended per second by an event each, beside one-step runs per second on the same store. */
export async function run(): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  await withBenchStores(async ({ store, settings, open }) => {
    const waiting = await waitingHost(open("waits"));
    const plain: Queue & { readonly host: Host } = await oneStepHost({
      ...open("plain"),
      drivers: idleDrivers,
    });
    const waits: number[] = [];
    const runs: number[] = [];
    // In turns, so that what else the machine does meets both alike.
    for (let i = 0; i < rounds; i += 1) {
      await waiting.arm(round);
      waits.push(await waiting.end(round));
      runs.push(await throughput(plain, round));
    }
    await waiting.host.close();
    await plain.host.close();
    figures.push({
      bench: "waits",
      figure: `ended, ${store}`,
      value: median(waits),
      unit: "waits/s",
      against: "one-step runs",
      ...settings,
      ratio: median(waits) / median(runs),
      better: "higher",
    });
  });
  return figures;
}
