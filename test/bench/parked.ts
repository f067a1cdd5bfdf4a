import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Figure } from "./figure.ts";
import { withBenchStores } from "./stores.ts";
import { waitingHost } from "./waits.ts";

const parked = Number(process.env["MILLRACE_BENCH_PARKED"] ?? 1_000_000);
const chunk = 10_000;
/** How long the host is watched while nothing happens, in milliseconds. */
const watchedMs = 10_000;

/** What so many runs that wait cost a host: bytes of its memory each, and of a processor while nothing happens. */
export async function run(): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  await withBenchStores(async ({ store, settings, open }) => {
    const waiting = await waitingHost(open("parked"));
    await waiting.arm(chunk);
    const before = memory();
    for (let i = chunk; i < parked; i += chunk) await waiting.arm(chunk);
    const after = memory();
    const used = process.cpuUsage();
    await new Promise((resolve) => setTimeout(resolve, watchedMs));
    const { user, system } = process.cpuUsage(used);
    await waiting.host.close();
    const bench = "parked";
    figures.push(
      {
        bench,
        figure: `memory, ${store}`,
        value: (after - before) / (parked - chunk),
        unit: `bytes of the host's memory a parked run, of ${parked}`,
        ...settings,
        better: "lower",
      },
      {
        bench,
        figure: `resident, ${store}`,
        value: after / 2 ** 20,
        unit: "MiB, all of the host",
        ...settings,
        better: "lower",
      },
      {
        bench,
        figure: `processor, ${store}`,
        value: (user + system) / 1_000 / watchedMs,
        unit: "of one core while nothing happens",
        ...settings,
        better: "lower",
      },
    );
  });
  return figures;
}

/** Resident memory after the garbage was collected. */
function memory(): number {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
  return process.memoryUsage().rss;
}
