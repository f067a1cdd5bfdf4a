import { expect, test } from "vitest";
import type { Clock } from "../../../host/clock.ts";
import { startTimers } from "../../../host/executor/timers.ts";
import { until } from "../broker/broker-contract.ts";

/** A clock that stands still until it is told to go on. */
function handClock(): Clock & { advance(to: number): Promise<void> } {
  let now = 0;
  const waiting = new Map<() => void, number>();
  return {
    now: () => now,
    schedule(at, callback) {
      waiting.set(callback, at);
      return () => waiting.delete(callback);
    },
    async advance(to) {
      now = to;
      for (const [callback, at] of waiting) {
        if (at > now) continue;
        waiting.delete(callback);
        callback();
      }
      for (let i = 0; i < 20; i += 1) await Promise.resolve();
    },
  };
}

/** Timers of runs in memory, as a state keeps them. */
function timersOf(due: Map<string, number>) {
  return {
    claimDue: async (now: number, limit: number) => {
      const ids = [...due]
        .filter(([, at]) => at <= now)
        .slice(0, limit)
        .map(([id]) => id);
      for (const id of ids) due.delete(id);
      return ids;
    },
    nextDue: async () => (due.size === 0 ? undefined : Math.min(...due.values())),
  };
}

test("wakes runs when they are due, never before, those of an earlier host too", async () => {
  const clock = handClock();
  const due = new Map([
    ["old", 50],
    ["overdue", -1],
  ]);
  const woken: string[] = [];
  const timers = startTimers({
    runs: timersOf(due),
    clock,
    wake: async (id) => void woken.push(id),
    onError: (error) => {
      throw error;
    },
  });
  await clock.advance(0);
  expect(woken).toEqual(["overdue"]);
  due.set("new", 30);
  timers.armed(30);
  await clock.advance(29);
  expect(woken).toEqual(["overdue"]);
  await clock.advance(30);
  expect(woken).toEqual(["overdue", "new"]);
  await clock.advance(49);
  expect(woken).toHaveLength(2);
  await clock.advance(50);
  expect(woken).toEqual(["overdue", "new", "old"]);
  await timers.close();
});

test("wakes more runs than it claims at once", async () => {
  const clock = handClock();
  const due = new Map(Array.from({ length: 1_234 }, (_, i) => [`r${i}`, 10]));
  const woken = new Set<string>();
  const timers = startTimers({
    runs: timersOf(due),
    clock,
    wake: async (id) => void woken.add(id),
    onError: () => undefined,
  });
  await clock.advance(0);
  await clock.advance(10);
  await until(() => woken.size === 1_234);
  await timers.close();
});

test("asks a store that failed again, and tells of the failure", async () => {
  const clock = handClock();
  const store = timersOf(new Map([["r", 0]]));
  let failures = 1;
  const told: unknown[] = [];
  const woken: string[] = [];
  const timers = startTimers({
    runs: {
      ...store,
      claimDue: (now, limit) =>
        failures-- > 0 ? Promise.reject(new Error("no disk")) : store.claimDue(now, limit),
    },
    clock,
    wake: async (id) => void woken.push(id),
    onError: (error) => told.push(error),
  });
  await clock.advance(0);
  expect(told).toMatchObject([{ message: "no disk" }]);
  await clock.advance(1_000);
  expect(woken).toEqual(["r"]);
  await timers.close();
});
