import type { Figure } from "./figure.ts";
import { idleDrivers, measure, oneStepHost, threeStepsHost, throughput, type Speed } from "./load.ts";
import { published, serverDefaults, withNatsServer } from "./nats-store.ts";

/** Runs whose publishes are counted. */
const counted = 2_000;

/** Runs of one or three steps on a single nats-server, with steps that do nothing in this process. */
export async function measureOnNats(
  steps: 1 | 3,
  options: { readonly syncAlways?: boolean; readonly count?: number; readonly samples?: number } = {},
): Promise<Speed & { readonly publishes: number }> {
  const { count = 20_000, samples = 500 } = options;
  return withNatsServer(async (server) => {
    const open = steps === 1 ? oneStepHost : threeStepsHost;
    const queue = await open({ store: server.url, drivers: idleDrivers });
    try {
      const before = await published(server);
      await throughput(queue, counted);
      const after = await published(server);
      const added = (stream: string): number => (after[stream] ?? 0) - (before[stream] ?? 0);
      const speed = await measure(queue, { rounds: 3, count, samples });
      return { ...speed, publishes: (added("runs") + added("wakes")) / counted };
    } finally {
      await queue.host.close();
    }
  }, options);
}

/** The figures of one bench, and what flushing each write costs. */
export async function natsFigures(bench: string, steps: 1 | 3): Promise<readonly Figure[]> {
  const { publishes, ...speed } = await measureOnNats(steps);
  const flushed = await measureOnNats(steps, { syncAlways: true, count: 3_000, samples: 200 });
  const figure = (name: string, value: number, unit: string, better: Figure["better"]): Figure => ({
    bench,
    figure: name,
    value,
    unit,
    settings: serverDefaults,
    better,
  });
  const against = "the same with the server's defaults";
  const settings = "one nats-server, file storage, sync_interval always";
  return [
    figure("throughput", speed.throughput, "runs/s", "higher"),
    figure("p50", speed.p50, "ms", "lower"),
    figure("p99", speed.p99, "ms", "lower"),
    figure("publishes", publishes, "messages stored per run after its event", "lower"),
    {
      ...figure("throughput, sync_interval always", flushed.throughput, "runs/s", "higher"),
      against,
      settings,
      ratio: flushed.throughput / speed.throughput,
    },
    {
      ...figure("p50, sync_interval always", flushed.p50, "ms", "lower"),
      against,
      settings,
      ratio: flushed.p50 / speed.p50,
    },
  ];
}
