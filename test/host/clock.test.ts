import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { systemClock } from "../../host/clock.ts";

beforeEach(() => void vi.useFakeTimers({ now: 1_000 }));
afterEach(() => void vi.useRealTimers());

test.each([
  ["at once", 0],
  ["after a while", 250],
  ["after longer than one timer can take", 2 ** 31 + 5_000],
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
  const cancel = systemClock.schedule(1_000 + 2 ** 31 + 5_000, callback);
  vi.advanceTimersByTime(2 ** 31);
  cancel();
  vi.advanceTimersByTime(10_000);
  expect(callback).not.toHaveBeenCalled();
});
