import { functionVersion } from "../../host/function/define.ts";
import { createHost, type Host } from "../../host/index.ts";
import { inProcessDrivers } from "../host/in-process-driver.ts";
import type { Figure } from "./figure.ts";
import { idleDrivers, oneStepHost, throughput } from "./load.ts";
import { withBenchStores } from "./stores.ts";

const timers = Number(process.env["MILLRACE_BENCH_TIMERS"] ?? 100_000);
const inFlight = 500;
/** All timers are due within this time, in milliseconds. */
const spreadMs = 1_000;
/** Runs by which it is seen how fast more of them begin. */
const trial = 3_000;
/** One-step runs beside them. */
const plainRuns = 30_000;

/** So many timers that are due within one second: how long it takes until the step behind the last one has begun. */
export async function run(): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  await withBenchStores(async ({ store, settings, open }) => {
    let fired = 0;
    let early = 0;
    let last = 0;
    const all = Promise.withResolvers<void>();
    const waits = new Map<string, number>();
    const drivers = inProcessDrivers({
      only({ event, ctx }) {
        const now = Date.now();
        // A run may begin on a version that came behind its event.
        if (now < event.ts + (waits.get(ctx.functionVersion) ?? 0)) early += 1;
        last = now;
        if (++fired === timers) all.resolve();
        return null;
      },
    });
    const host = await createHost({ ...open("burst"), drivers });
    // As many as are in the trial are left behind, parked for a day.
    const begun = performance.now();
    await send(host, waits, { wait: 86_400_000, most: trial, stop: () => false });
    const tookMs = ((performance.now() - begun) / trial) * timers;
    const target = Date.now() + 3 * tookMs + 10_000;
    let sent = 0;
    while (sent < timers) {
      const from = Date.now();
      const wait = Math.round(target - from);
      if (wait < spreadMs) throw new Error("the runs did not begin in time for their timers");
      sent += await send(host, waits, {
        wait,
        most: timers - sent,
        stop: () => Date.now() - from > spreadMs,
      });
    }
    await new Promise((resolve) => setTimeout(resolve, target - Date.now()));
    const idle = process.cpuUsage();
    await all.promise;
    const { user, system } = process.cpuUsage(idle);
    await host.close();
    const plain = await oneStepHost({ ...open("plain"), drivers: idleDrivers });
    await throughput(plain, trial);
    const before = process.cpuUsage();
    const runs = await throughput(plain, plainRuns);
    const plainUsed = process.cpuUsage(before);
    await plain.host.close();
    const processor = (user + system) / 1e6;
    const bench = "timers-burst";
    figures.push(
      {
        bench,
        figure: `last of ${timers}, ${store}`,
        value: (last - target) / 1_000,
        unit: `s after the first was due, which were due within ${spreadMs / 1_000} s`,
        ...settings,
        against: "what as many one-step runs take",
        ratio: ((last - target) / 1_000) * (runs / timers),
        better: "lower",
      },
      {
        bench,
        figure: `processor, ${store}`,
        value: processor,
        unit: "s of one core, the other measure where a machine has more to do",
        against: "what as many one-step runs take",
        ratio: processor / (((plainUsed.user + plainUsed.system) / 1e6 / plainRuns) * timers),
        ...settings,
        better: "lower",
      },
      { bench, figure: `early, ${store}`, value: early, unit: "timers", ...settings, better: "lower" },
    );
  });
  return figures;
}

interface Batch {
  readonly wait: number;
  readonly most: number;
  stop(): boolean;
}

/** Begins up to so many runs that wait so long, until it is time to stop; resolves to how many. */
async function send(host: Host, waits: Map<string, number>, { wait, most, stop }: Batch): Promise<number> {
  const after = [{ step: "$trigger", wait: `${wait}ms` }];
  const document = { id: "burst", triggers: [{ event: "bench/sent" }], steps: { only: { after } } };
  const version = functionVersion(document, {}, 0);
  waits.set(version.version, wait);
  await host.deploy([version]);
  let count = 0;
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      while (count < most && !stop()) {
        count += 1;
        await host.publish([{ name: "bench/sent" }]);
      }
    }),
  );
  return count;
}
