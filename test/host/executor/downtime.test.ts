import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { functionVersion } from "../../../host/function/define.ts";
import { createHost, type Host } from "../../../host/index.ts";
import { createHandClock } from "../../hand-clock.ts";
import { until } from "../broker/broker-contract.ts";
import { Failure, inProcessDrivers } from "../in-process-driver.ts";

const hour = 3_600_000;

test("what was due in a week without a host happens once, in its order, when there is one", async () => {
  const folder = await mkdtemp(join(tmpdir(), "millrace-downtime-"));
  const store = `sqlite:${join(folder, "store.db")}`;
  const clock = createHandClock();
  const ran: string[] = [];
  const open = (): Promise<Host> =>
    createHost({
      store,
      clock,
      // One after the other, so that their order shows.
      maxRuns: 1,
      drivers: inProcessDrivers({
        only({ event, ctx }) {
          ran.push(`${String((event.data as { n: number }).n)} ${ctx.functionId}#${ctx.attempt}`);
          if (ctx.functionId === "backoff" && ctx.attempt === 1)
            throw new Failure({ retryAfterMs: 50 * hour });
          return null;
        },
      }),
    });
  const version = (id: string, after: object[]) =>
    functionVersion({ id, triggers: [{ event: id }], steps: { only: { after: after as never } } }, {}, 0);
  try {
    const first = await open();
    await first.deploy([
      version("slow", [{ step: "$trigger", wait: "100h" }]),
      version("quick", [{ step: "$trigger", wait: "1h" }]),
      version("ttl", [{ step: "$trigger", async: { event: "never", ttl: "2h", onTimeout: true } }]),
      version("backoff", []),
    ]);
    for (const [n, name] of ["slow", "backoff", "quick", "ttl", "quick"].entries()) {
      await first.publish([{ name, data: { n } }]);
      await until(async () => (await first.runs.query({ status: "parked", limit: 9 })).runs.length === n + 1);
    }
    await first.close();
    clock.advance(7 * 24 * hour);
    const second = await open();
    await until(async () => (await second.runs.query({ status: "completed", limit: 9 })).runs.length === 5);
    await second.close();
    expect(ran).toEqual(["1 backoff#1", "2 quick#1", "4 quick#1", "3 ttl#1", "1 backoff#2", "0 slow#1"]);
  } finally {
    await rm(folder, { recursive: true });
  }
});
