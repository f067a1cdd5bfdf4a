import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { define, functionVersion } from "../../../host/function/define.ts";
import type { FunctionDocument } from "../../../host/function/document.ts";
import { createHost, type Host } from "../../../host/index.ts";
import { until } from "../broker/broker-contract.ts";
import { inProcessDrivers } from "../in-process-driver.ts";
import { handClock, type HandClock } from "./hand-clock.ts";

const hour = 3_600_000;
const start = Date.parse("2026-01-01T00:30:00Z");
const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function storeFile(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "millrace-schedule-"));
  cleanups.push(() => rm(folder, { recursive: true }));
  return `sqlite:${join(folder, "store.db")}`;
}

/** A host, and the times of the firings that its runs saw. */
async function startHost(store: string, clock: HandClock) {
  const fired: string[] = [];
  const drivers = inProcessDrivers({
    a: ({ event }) => (
      fired.push((event.data as { readonly scheduledAt: string }).scheduledAt.slice(11, 16)),
      null
    ),
  });
  const host = await createHost({ store, drivers, clock });
  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => (closed ??= host.close());
  cleanups.push(close);
  return { host, fired, close };
}

/** Deploys a function, and waits until its host waits for the first time of its schedule. */
async function deploy(
  host: Host,
  triggers: FunctionDocument["triggers"],
  clock: HandClock,
  id = "report",
): Promise<void> {
  const version = functionVersion({ id, triggers, steps: { a: {} } }, {}, clock.now());
  await host.deploy([version]);
  for (const { cron } of define(version).triggers) {
    const next = cron?.next(clock.now());
    if (next !== undefined) await until(() => clock.waitsFor(next));
  }
}

describe("a function with a schedule", () => {
  test("runs at each of its times, from its deployment on, with an event that says which", async () => {
    const clock = handClock(start);
    const { host, fired } = await startHost("memory:", clock);
    await deploy(host, [{ cron: "0 * * * *" }], clock);
    await clock.advance(start + hour / 2 - 1);
    expect(fired).toEqual([]);
    await clock.advance(start + 3 * hour);
    await until(() => fired.length === 3);
    expect(fired).toEqual(["01:00", "02:00", "03:00"]);
    const { runs } = await host.runs.query({ limit: 10 });
    expect(runs.every(({ eventName }) => eventName === "cron/report")).toBe(true);
    const event = await host.events.readEvent(runs.at(-1)?.eventId ?? "");
    expect(event?.event).toMatchObject({
      ts: Date.parse("2026-01-01T01:00:00Z"),
      data: { cron: "0 * * * *", timezone: "UTC", scheduledAt: "2026-01-01T01:00:00.000Z" },
    });
  });

  test("runs on the version that is active, no more once it is removed, and not twice for two schedules of one time", async () => {
    const clock = handClock(start);
    const { host, fired } = await startHost("memory:", clock);
    await deploy(host, [{ cron: "0 * * * *" }], clock);
    await clock.advance(start + hour);
    await deploy(host, [{ cron: "30 * * * *" }], clock);
    await clock.advance(start + 2 * hour + 1);
    await until(() => fired.length === 2);
    expect(fired).toEqual(["01:00", "02:30"]);
    await host.remove("report");
    await clock.advance(start + 10 * hour);
    expect(fired).toHaveLength(2);
  });

  test("starts other functions that wait for its event, and can be started by hand", async () => {
    const clock = handClock(start);
    const { host, fired } = await startHost("memory:", clock);
    await deploy(host, [{ cron: "0 * * * *" }], clock);
    await deploy(host, [{ event: "cron/report" }], clock, "other");
    await host.publish([{ name: "cron/report", data: { scheduledAt: "2026-01-01T12:34:00Z" } }]);
    await until(() => fired.length === 2);
    await clock.advance(start + hour);
    await until(() => fired.length === 4);
    expect(fired).toEqual(["12:34", "12:34", "01:00", "01:00"]);
  });

  test.each([
    ["skip", []],
    ["once", ["05:00"]],
    ["all", ["02:00", "03:00", "04:00", "05:00"]],
  ] as const)("makes up for what was missed while no host was there as %s says", async (missed, madeUp) => {
    const store = await storeFile();
    const clock = handClock(start);
    const before = await startHost(store, clock);
    await deploy(before.host, [{ cron: "0 * * * *", missed }], clock);
    await clock.advance(start + hour);
    await until(() => before.fired.length === 1);
    await before.close();
    await clock.advance(start + 5 * hour);
    const { fired } = await startHost(store, clock);
    await clock.advance(clock.now());
    await until(() => fired.length === madeUp.length);
    expect(fired).toEqual(madeUp);
    await until(() => clock.waitsFor(start + 5.5 * hour));
    await clock.advance(clock.now() + hour);
    await until(() => fired.length === madeUp.length + 1);
    expect(fired.at(-1)).toBe("06:00");
  });

  test("does not run again what ran before the host was started again at the same moment", async () => {
    const store = await storeFile();
    const clock = handClock(start);
    const before = await startHost(store, clock);
    await deploy(before.host, [{ cron: "0 * * * *", missed: "all" }], clock);
    await clock.advance(start + hour / 2);
    await until(() => before.fired.length === 1);
    await before.close();
    const { host, fired } = await startHost(store, clock);
    await clock.advance(clock.now() + 1);
    expect(fired).toEqual([]);
    expect((await host.runs.query({ limit: 10 })).runs).toHaveLength(1);
  });

  test("is not put off by an event that somebody else published under its name for a later time", async () => {
    const store = await storeFile();
    const clock = handClock(start);
    const before = await startHost(store, clock);
    await deploy(before.host, [{ cron: "0 * * * *" }], clock);
    await before.host.publish([
      { name: "cron/report", ts: start + 2 * hour, data: { scheduledAt: "2026-01-01T12:34:00Z" } },
    ]);
    await until(() => before.fired.length === 1);
    await before.close();
    const { fired } = await startHost(store, clock);
    await clock.advance(start + hour);
    await until(() => fired.length === 1);
    expect(fired).toEqual(["01:00"]);
  });
});
