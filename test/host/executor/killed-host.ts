/**
 * A host to be killed: opens the store named by its first argument, publishes events until it is killed, and writes the id of each event that was acknowledged to stdout, a line each.
 * With "finish" as second argument it publishes nothing and ends once every run in the store has finished.
 */
import { writeSync } from "node:fs";
import { functionVersion } from "../../../host/function/define.ts";
import { createHost } from "../../../host/index.ts";
import { Failure, inProcessDrivers } from "../in-process-driver.ts";

const [store = "", mode] = process.argv.slice(2);
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const host = await createHost({
  store,
  drivers: inProcessDrivers({
    first: () => "first",
    slow: async () => (await pause(5), "slow"),
    flaky: ({ ctx, event }) => {
      if (ctx.attempt === 1 && (event.data as { n: number }).n % 2 === 0) throw new Failure({});
      return "flaky";
    },
    last: ({ steps }) => Object.keys(steps).toSorted().join(),
  }),
});

await host.deploy([
  functionVersion(
    {
      id: "f",
      triggers: [{ event: "a/b" }],
      retry: { backoff: { initial: "20ms", jitter: 0 } },
      steps: {
        first: {},
        slow: { after: [{ step: "first" }] },
        flaky: { after: [{ step: "first" }] },
        last: { after: [{ step: "slow" }, { step: "flaky", wait: "10ms" }] },
      },
    },
    {},
    0,
  ),
]);

if (mode === "finish") {
  const unfinished = async (): Promise<boolean> => {
    for (const status of ["running", "parked"] as const) {
      if ((await host.runs.query({ status, limit: 1 })).runs.length > 0) return true;
    }
    return false;
  };
  // Events that were acknowledged but had no run yet come first; their runs show in the store a moment later.
  let quiet = 0;
  for (let looks = 0; quiet < 10; looks += 1) {
    if (looks > 1_000) throw new Error("runs are left that do not finish");
    quiet = (await unfinished()) ? 0 : quiet + 1;
    await pause(20);
  }
  await host.close();
} else {
  const publish = async (from: number): Promise<void> => {
    // Bounded, should nobody come to kill it.
    for (let n = from; n < 100_000; n += 10) {
      const published = await host.publish([
        { name: "a/b", data: { n } },
        { name: "a/b", data: { n: n + 1 } },
      ]);
      writeSync(1, published.map(({ id }) => `${id}\n`).join(""));
    }
  };
  await Promise.all([0, 2, 4, 6, 8].map(publish));
}
