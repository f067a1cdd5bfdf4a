import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { systemClock } from "../../host/clock.ts";

beforeEach(() => void vi.useFakeTimers({ now: 1_000 }));
afterEach(() => void vi.useRealTimers());

test.each([
  ["at once", 0],
  ["after a while", 250],
  ["after several hops", 100_500],
])("calls back once, %s, and never early", (_, delay) => {
  const callback = vi.fn();
  systemClock.schedule(1_000 + delay, callback);
  expect(callback).not.toHaveBeenCalled();
  vi.advanceTimersByTime(Math.max(0, delay - 1));
  expect(callback).toHaveBeenCalledTimes(delay === 0 ? 1 : 0);
  vi.advanceTimersByTime(1);
  expect(callback).toHaveBeenCalledTimes(1);
  vi.advanceTimersByTime(10_000);
  expect(callback).toHaveBeenCalledTimes(1);
});

test("does not call back what was taken back, not even between two hops", () => {
  const callback = vi.fn();
  const cancel = systemClock.schedule(101_500, callback);
  vi.advanceTimersByTime(50_000);
  cancel();
  vi.advanceTimersByTime(100_000);
  expect(callback).not.toHaveBeenCalled();
});

test("calls back soon after the machine's clock was put on, and not early when it was put back", async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  try {
    const begun = Date.now();
    let ahead = 0;
    let back = 0;
    systemClock.schedule(begun + 3_600_000, () => (ahead += 1));
    vi.setSystemTime(begun + 3_600_000);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(ahead).toBe(1);
    const cancel = systemClock.schedule(begun + 3_600_300, () => (back += 1));
    vi.setSystemTime(begun);
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(back).toBe(0);
    cancel();
  } finally {
    vi.useRealTimers();
  }
});
