import { expect, test } from "vitest";
import { compileCron, type CronTrigger, type MissedPolicy } from "../../../host/function/cron.ts";
import { due } from "../../../host/schedule/due.ts";

const minute = 60_000;
const start = Date.parse("2026-01-01T00:00:00Z");
const most = 1_000;

function everyMinute(missed: MissedPolicy, jitterMs = 0): CronTrigger {
  const compiled = compileCron("* * * * *", "UTC");
  if (!compiled.ok) throw new Error(compiled.message);
  return { pattern: "* * * * *", timezone: "UTC", missed, jitterMs, ...compiled };
}

test.each(["skip", "once", "all"] as const)(
  "with %s, nothing is due before its time, and then one firing",
  (missed) => {
    const trigger = everyMinute(missed);
    const early = due("f", trigger, { after: start, now: start + minute - 1, most });
    expect(early).toEqual({ fire: [], upTo: start, nextAt: start + minute });
    const now = start + minute;
    expect(due("f", trigger, { after: start, now, most })).toEqual({
      fire: [now],
      upTo: now,
      nextAt: now + minute,
    });
  },
);

test.each([
  ["skip", []],
  ["once", [start + 5 * minute]],
  ["all", [1, 2, 3, 4, 5].map((n) => start + n * minute)],
] as const)("with %s, of five that were missed %j happen", (missed, fire) => {
  // An hour's schedule, so that the last one is late enough to be left out.
  const sparse: CronTrigger = {
    ...everyMinute(missed),
    next: (at) => (at < start + 5 * minute ? everyMinute(missed).next(at) : undefined),
    previous: (at) => Math.min(everyMinute(missed).previous(at) ?? 0, start + 5 * minute),
  };
  const found = due("f", sparse, { after: start, now: start + 60 * minute, most });
  expect(found).toEqual({ fire, upTo: start + 5 * minute, nextAt: undefined });
});

test("what a host comes to a minute late still happens with skip", () => {
  const now = start + 2 * minute - 1;
  expect(due("f", everyMinute("skip"), { after: start, now, most }).fire).toEqual([start + minute]);
});

test("many that were missed come in portions, none left out", () => {
  const trigger = everyMinute("all");
  const now = start + 100 * minute;
  const found: number[] = [];
  for (let after = start; ;) {
    const { fire, upTo, nextAt } = due("f", trigger, { after, now, most: 30 });
    found.push(...fire);
    after = upTo;
    if (nextAt !== now) break;
  }
  expect(found).toEqual(Array.from({ length: 100 }, (_, n) => start + (n + 1) * minute));
});

test("jitter puts each firing off by a time of its own, the same on all hosts and always before the next", () => {
  const trigger = everyMinute("all", 24 * 60 * minute);
  const dueTimes = Array.from({ length: 50 }, (_, n) => {
    const { nextAt } = due("f", trigger, { after: start + n * minute, now: start, most });
    return (nextAt ?? 0) - start;
  });
  for (const [n, at] of dueTimes.entries()) {
    expect(at).toBeGreaterThanOrEqual((n + 1) * minute);
    expect(at).toBeLessThan((n + 2) * minute);
  }
  expect(new Set(dueTimes.map((at) => at % minute)).size).toBeGreaterThan(40);
  const other = due("g", trigger, { after: start, now: start, most }).nextAt;
  expect(other).not.toBe(start + (dueTimes[0] ?? 0));
  // With once, a firing whose time has passed and whose delay has not is not due.
  const once = everyMinute("once", minute);
  const delayed = due("f", once, { after: start, now: start + minute, most }).nextAt ?? 0;
  expect(due("f", once, { after: start, now: delayed - 1, most }).fire).toEqual([]);
  expect(due("f", once, { after: start, now: delayed, most }).fire).toEqual([start + minute]);
});
