import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { loadProject } from "../../host/build/project.ts";
import { createHandClock } from "../hand-clock.ts";
import { startProject } from "../host/build/project-host.ts";

const folder = join(import.meta.dirname, "../../examples/daily-report");
const cache = await mkdtemp(join(tmpdir(), "millrace-report-"));
afterAll(() => rm(cache, { recursive: true }));

const day = 86_400_000;

test("sales are collected by shop, and the next morning's run reports all of the day", async () => {
  const clock = createHandClock();
  const host = await startProject(await loadProject(folder), cache, "auto", new Map(), clock);
  try {
    const sale = (shop: string, amount: number) => ({ name: "sale/made", data: { shop, amount } });
    // Noon, so that all of it is on one day.
    clock.advance(day - (clock.now() % day) + day / 2);
    const sold = new Date(clock.now()).toISOString().slice(0, 10);
    const others = [sale("south", 10), sale("north", 40), sale("north", 5)];
    const collecting = host.run(sale("north", 25), others);
    await host.until((run) => run.status === "parked");
    clock.advance(5_000);
    const note = await collecting;
    expect(note.collected).toMatchObject({ by: "batch", key: "north", count: 3, why: "time" });
    expect(note.steps[0]?.output).toEqual({ shop: "north", sales: 3, days: [sold] });
    await host.run(
      sale("east", 1),
      Array.from({ length: 99 }, () => sale("east", 1)),
    );

    clock.advance(day - (clock.now() % day) + day / 4 + 60_000);
    const report = await host.newest(
      "cron/daily-report",
      ({ data }) => (data as { scheduledAt: string }).scheduledAt > `${sold}T12`,
    );
    expect(report.steps.map(({ id, status }) => [id, status])).toEqual([
      ["note", "skipped"],
      ["report", "completed"],
    ]);
    expect(report.steps[1]?.output).toEqual({
      day: sold,
      shops: {
        north: { sales: 3, revenue: 70 },
        south: { sales: 1, revenue: 10 },
        east: { sales: 100, revenue: 100 },
      },
    });
  } finally {
    await host.close();
  }
  // Its steps are built here.
}, 300_000);
