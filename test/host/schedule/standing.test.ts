import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { createSqliteBroker } from "../../../host/broker/sqlite.ts";
import { compileCron, type MissedPolicy } from "../../../host/function/cron.ts";
import { functionVersion } from "../../../host/function/define.ts";
import { createHost, type Host } from "../../../host/index.ts";
import { createScheduler } from "../../../host/schedule/scheduler.ts";
import { openDatabase } from "../../../host/sqlite/database.ts";
import { storeLocation } from "../../../host/sqlite/location.ts";
import { until } from "../broker/broker-contract.ts";
import { inProcessDrivers } from "../in-process-driver.ts";
import { findNatsServer } from "../nats/find-server.ts";
import { startNatsServer, type NatsServer } from "../nats/server.ts";
import { handClock } from "./hand-clock.ts";

const minute = 60_000;
const hour = 60 * minute;
const start = Date.parse("2026-01-01T00:00:00Z");

function schedule(pattern: string, missed: MissedPolicy) {
  const compiled = compileCron(pattern, "UTC");
  if (!compiled.ok) throw new Error(compiled.message);
  return { pattern, timezone: "UTC", missed, jitterMs: 0, ...compiled };
}

test.each(["once", "all"] as const)(
  "a schedule with %s is found where it stands behind any number of events of another one of its function",
  async (missed) => {
    const clock = handClock(start);
    const database = openDatabase(storeLocation("memory:"));
    const broker = createSqliteBroker(database, clock);
    const published: number[] = [];
    const watched: typeof broker = {
      ...broker,
      async publish(events) {
        published.push(...events.map(({ ts }) => ts));
        return broker.publish(events);
      },
    };
    const triggers = [schedule("* * * * *", "skip"), schedule("0 0 * * *", missed)];
    const scheduled = [{ functionId: "f", activatedAt: start, triggers }];
    const begin = async () => {
      const scheduler = createScheduler({
        clock,
        broker: watched,
        catalog: { newest: () => 0 },
        onError: (error) => expect.unreachable(String(error)),
      });
      scheduler.use(scheduled);
      await until(() => clock.waitsFor(Math.floor(clock.now() / minute + 1) * minute));
      return scheduler;
    };
    const first = await begin();
    // Two daily ones, and behind the second 1,200 of the others.
    await clock.advance(start + 68 * hour + minute / 2);
    expect(published.filter((ts) => ts === start + 24 * hour)).toHaveLength(2);
    await first.close();
    published.length = 0;
    const second = await begin();
    expect(published).toEqual([]);
    await clock.advance(start + 68 * hour + minute);
    expect(published).toEqual([start + 68 * hour + minute]);
    await second.close();
    await broker.close();
    await database.close();
  },
);

const program = findNatsServer();

describe.skipIf(program === undefined)("on a nats-server", () => {
  let server: NatsServer;
  const hosts: Host[] = [];
  beforeAll(async () => {
    server = await startNatsServer(program ?? "");
  });
  afterAll(() => server.stop());
  afterEach(async () => {
    for (const host of hosts.splice(0)) await host.close();
  });

  test.each(["once", "all"] as const)(
    "a firing with %s whose event and run are kept no longer does not happen again",
    async (missed) => {
      const begin = async (): Promise<Host> => {
        const nats = { prefix: missed, keepEventsMs: 2_000, keepRunsMs: 1 };
        const drivers = inProcessDrivers({ a: () => null });
        const host = await createHost({ store: server.url, nats, drivers });
        hosts.push(host);
        return host;
      };
      const runs = async (host: Host) => (await host.runs.query({ limit: 10 })).runs;
      const first = await begin();
      // Once an hour, and for the first time in two or three seconds.
      const at = new Date(Date.now() + 3_000);
      const cron = `${at.getUTCSeconds()} ${at.getUTCMinutes()} * * * *`;
      const document = { id: "f", triggers: [{ cron, missed }], steps: { a: {} } };
      await first.deploy([functionVersion(document, {}, Date.now())]);
      await until(async () => (await runs(first))[0]?.status === "completed");
      await hosts.pop()?.close();
      await until(() => Date.now() > at.getTime() + 5_000);
      const second = await begin();
      await until(() => second.nextAt("f") !== undefined);
      expect(second.nextAt("f")).toBeGreaterThan(Date.now() + hour / 2);
      expect(await second.events.readEvents({ limit: 10 })).toEqual([]);
      expect(await runs(second)).toEqual([]);
    },
  );
});
