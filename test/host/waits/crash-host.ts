/**
 * A host to be killed while its runs wait: its one argument is a CrashOrder in JSON. It begins runs, and ends their waits
 * a little later, until it is killed; what was acknowledged it writes to stdout, a line each.
 */
import { writeSync } from "node:fs";
import { createHost, type HostConfig } from "../../../host/index.ts";
import { crashPrograms, crashVersion } from "./crash-function.ts";
import { inProcessDrivers } from "../in-process-driver.ts";

/** What one such host is told. */
export interface CrashOrder extends Pick<HostConfig, "store" | "nats"> {
  /** Its runs are numbered from here on. */
  readonly from: number;
}

const { from, ...config } = JSON.parse(process.argv[2] ?? "{}") as CrashOrder;
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const host = await createHost({ ...config, drivers: inProcessDrivers(crashPrograms) });
await host.deploy([crashVersion]);

const one = async (n: number): Promise<void> => {
  for (const [name, ms] of [
    ["begun", 0],
    ["first", 37 * (n % 20)],
    ["second", 53 * (n % 7)],
  ] as const) {
    await pause(ms);
    const [published] = await host.publish([{ name, data: { n } }]);
    writeSync(1, `${name} ${n} ${published?.id}\n`);
  }
};
// Bounded, should nobody come to kill it.
for (let n = from; n < from + 500; n += 1) {
  void one(n);
  await pause(15);
}
