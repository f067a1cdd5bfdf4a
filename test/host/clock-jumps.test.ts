import { afterEach, describe, expect, test } from "vitest";
import { functionVersion } from "../../host/function/define.ts";
import type { FunctionDocument } from "../../host/function/document.ts";
import { createHost, runId, type Host } from "../../host/index.ts";
import { createHandClock } from "../hand-clock.ts";
import { until } from "./broker/broker-contract.ts";
import { inProcessDrivers } from "./in-process-driver.ts";

const minute = 60_000;
const hour = 60 * minute;
const hosts: Host[] = [];
afterEach(async () => {
  for (const host of hosts.splice(0)) await host.close();
});

/** A host whose clock can be put on and back, and the data of the events for which step "b" ran, in turn. */
async function hostOf(document: Pick<FunctionDocument, "triggers" | "steps">) {
  const clock = createHandClock();
  const seen: unknown[] = [];
  const drivers = inProcessDrivers({ a: () => null, b: ({ event }) => seen.push(event.data) });
  const host = await createHost({ store: "memory:", drivers, clock });
  hosts.push(host);
  await host.deploy([functionVersion({ id: "f", ...document }, {}, clock.now())]);
  return { host, clock, seen };
}

/** What a host is given to do wrong before it is looked at. */
const pause = (): Promise<void> => new Promise((resolve) => void setTimeout(resolve, 200));

describe("when the machine's clock is put on or back", () => {
  test("a run that sleeps goes on when its time has come by that clock, never before, and once", async () => {
    const { host, clock, seen } = await hostOf({
      triggers: [{ event: "a/b" }],
      steps: { a: {}, b: { after: [{ step: "a", wait: "30m" }] } },
    });
    await host.publish([{ id: "e", name: "a/b" }]);
    const id = runId("f", "e");
    await until(async () => (await host.runs.load(id))?.status === "parked");
    for (const by of [20 * minute, -2 * hour, 2 * hour + 9 * minute]) {
      clock.advance(by);
      await pause();
      expect([by, (await host.runs.load(id))?.status]).toEqual([by, "parked"]);
    }
    clock.advance(minute);
    expect((await host.finished(id)).status).toBe("completed");
    clock.advance(-hour);
    clock.advance(2 * hour);
    await pause();
    expect(seen).toHaveLength(1);
  });

  test("an attempt that is due is made at once after a jump of a week", async () => {
    const { host, clock, seen } = await hostOf({
      triggers: [{ event: "a/b" }],
      steps: { a: {}, b: { after: [{ step: "a", wait: "6d" }] } },
    });
    await host.publish([{ id: "e", name: "a/b" }]);
    await until(async () => (await host.runs.load(runId("f", "e")))?.status === "parked");
    clock.advance(7 * 24 * hour);
    await host.finished(runId("f", "e"));
    expect(seen).toHaveLength(1);
  });

  test("a wait for an event ends by that clock, and an event that comes in time counts", async () => {
    const wait = { event: "c/d", ttl: "1h" };
    const { host, clock, seen } = await hostOf({
      triggers: [{ event: "a/b" }],
      steps: {
        a: { after: [{ step: "$trigger", async: { ...wait, onTimeout: true } }] },
        b: { after: [{ step: "$trigger", async: wait }] },
      },
    });
    await host.publish([{ id: "e", name: "a/b" }]);
    const id = runId("f", "e");
    await until(async () => (await host.runs.load(id))?.status === "parked");
    clock.advance(-2 * hour);
    clock.advance(2 * hour + 50 * minute);
    await pause();
    expect((await host.runs.load(id))?.status).toBe("parked");
    await host.publish([{ name: "c/d" }]);
    await host.finished(id);
    expect(seen).toHaveLength(1);
  });

  test.each(["skip", "once", "all"] as const)(
    "a schedule with %s has each of its times once, also those that come again",
    async (missed) => {
      const { host, clock, seen } = await hostOf({
        triggers: [{ cron: "0 * * * *", missed }],
        steps: { b: {} },
      });
      await until(() => host.nextAt("f") !== undefined);
      const next = host.nextAt("f")!;
      clock.advance(next - clock.now());
      await until(() => seen.length === 1);
      clock.advance(-90 * minute);
      await pause();
      clock.advance(90 * minute);
      await pause();
      expect(seen).toHaveLength(1);
      clock.advance(hour);
      await until(() => seen.length === 2);
      // A jump over three of them, the last by more than the minute that `skip` bears.
      clock.advance(3 * hour + 30 * minute);
      const made = { skip: 2, once: 3, all: 5 }[missed];
      await until(() => seen.length === made);
      await pause();
      const times = seen.map((data) => Date.parse((data as { readonly scheduledAt: string }).scheduledAt));
      expect(times.map((at) => (at - next) / hour)).toEqual(
        { skip: [0, 1], once: [0, 1, 4], all: [0, 1, 2, 3, 4] }[missed],
      );
    },
  );
});
