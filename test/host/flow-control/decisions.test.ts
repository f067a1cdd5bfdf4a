import { describe, expect, test } from "vitest";
import { onlyRun, withoutRun } from "../../../host/flow-control/idempotency.ts";
import {
  keptEntries,
  notBegun,
  rateLimited,
  type RateLimitState,
} from "../../../host/flow-control/rate-limit.ts";
import { applied } from "../../../host/flow-control/singleton.ts";
import { throttled, type ThrottleState } from "../../../host/flow-control/throttle.ts";

describe("a throttle", () => {
  const ask = (state: ThrottleState | undefined, run: string, now: number, burst = 1) => {
    const { result, value } = throttled(state, { run, now, limit: 10, periodMs: 1_000, burst });
    return { at: result, state: value ?? state };
  };

  test("gives each run a time of its own, a tenth of the period apart", () => {
    let state: ThrottleState | undefined;
    const times = ["a", "b", "c"].map((run) => {
      const next = ask(state, run, 5_000);
      ({ state } = next);
      return next.at;
    });
    expect(times).toEqual([5_000, 5_100, 5_200]);
    // After a rest it begins anew, and saves nothing up.
    const late = ask(state, "d", 9_000);
    expect([late.at, ask(late.state, "e", 9_000).at]).toEqual([9_000, 9_100]);
  });

  test("lets a burst begin at once, and no more than that over the rate in any time", () => {
    let state: ThrottleState | undefined;
    const times: number[] = [];
    for (let i = 0; i < 40; i++) {
      const next = ask(state, `r${i}`, 5_000 + 7 * i, 4);
      ({ state } = next);
      times.push(next.at);
    }
    expect(times.slice(0, 5)).toEqual([5_000, 5_007, 5_014, 5_021, 5_100]);
    for (const [i, from] of times.entries()) {
      for (const [j, to] of times.entries()) {
        if (j > i) expect(j - i + 1).toBeLessThanOrEqual(4 + Math.floor((to - from) / 100) + 1);
      }
    }
  });

  test("gives a run that asks again the time that it had", () => {
    const first = ask(undefined, "a", 5_000);
    const second = ask(first.state, "b", 5_000);
    expect(ask(second.state, "b", 7_000)).toEqual({ at: 5_100, state: second.state });
  });

  test("is never early where the period is no multiple of the limit", () => {
    let state: ThrottleState | undefined;
    let last = 0;
    for (let i = 0; i < 100; i++) {
      const { result, value } = throttled(state, {
        run: `r${i}`,
        now: 0,
        limit: 3,
        periodMs: 1_000,
        burst: 1,
      });
      expect(result).toBeGreaterThanOrEqual((i * 1_000) / 3 - 1e-6);
      expect(result).toBeGreaterThanOrEqual(last);
      last = result;
      state = value;
    }
  });
});

describe("a rate limit", () => {
  const limits = { limit: 3, periodMs: 1_000 };

  test("admits so many in any period, and names the first when it refuses", () => {
    let state: RateLimitState | undefined;
    const ask = (run: string, now: number, limit = 3) => {
      const { result, value } = rateLimited(state, { ...limits, limit, run, now });
      state = value ?? state;
      return result;
    };
    expect(["a", "b", "c"].map((run, i) => ask(run, i * 100).admitted)).toEqual([true, true, true]);
    expect(ask("d", 900)).toEqual({ admitted: false, first: "a" });
    expect(ask("b", 900)).toEqual({ admitted: true });
    expect(ask("d", 999).admitted).toBe(false);
    expect(ask("d", 1_000).admitted).toBe(true);
    expect(ask("e", 1_001)).toEqual({ admitted: false, first: "b" });
    // A higher limit counts from the next decision on.
    expect(ask("e", 1_002, 4).admitted).toBe(true);
  });

  test("never admits more than a large limit within a period, and remembers a bounded number", () => {
    const limit = 5_000;
    const periodMs = 60_000;
    const admitted: number[] = [];
    let state: RateLimitState | undefined;
    for (let i = 0; i < 30_000; i++) {
      const now = i * 7;
      const { result, value } = rateLimited(state, { run: `r${i}`, now, limit, periodMs });
      state = value ?? state;
      if (result.admitted) admitted.push(now);
    }
    for (const [i, at] of admitted.entries()) {
      const before = admitted[i - limit];
      if (before !== undefined) expect(at - before).toBeGreaterThanOrEqual(periodMs);
    }
    expect(admitted.length).toBeGreaterThan(3 * limit);
    expect(state!.began.length).toBeLessThanOrEqual(keptEntries + 1);
    expect(state!.runs.length).toBeLessThanOrEqual(keptEntries);
  });

  test("takes back what a run did not use", () => {
    const first = rateLimited(undefined, { ...limits, limit: 1, run: "a", now: 5 }).value;
    const given = notBegun(first, { run: "a", periodMs: 1_000 }).value;
    expect(rateLimited(given, { ...limits, limit: 1, run: "b", now: 6 }).result.admitted).toBe(true);
    expect(notBegun(first, { run: "x", periodMs: 1_000 }).value).toBeUndefined();
  });
});

describe("an idempotency key", () => {
  test("belongs to the first run for the period, and then to the next that asks", () => {
    const first = onlyRun(undefined, { run: "a", now: 100, periodMs: 50 });
    expect(first).toMatchObject({ result: "a", keepMs: 50 });
    expect(onlyRun(first.value, { run: "b", now: 149, periodMs: 50 })).toEqual({ result: "a" });
    expect(onlyRun(first.value, { run: "a", now: 149, periodMs: 50 })).toEqual({ result: "a" });
    expect(onlyRun(first.value, { run: "b", now: 150, periodMs: 50 }).result).toBe("b");
  });

  test("is given back by a run that did not begin", () => {
    const { value } = onlyRun(undefined, { run: "a", now: 100, periodMs: 50 });
    expect(withoutRun(value, "b").value).toBeUndefined();
    expect(onlyRun(withoutRun(value, "a").value, { run: "b", now: 101, periodMs: 50 }).result).toBe("b");
  });
});

describe("the place of a singleton", () => {
  const asks = (run: string, seq: number, mode: "skip" | "cancel", over?: string) => ({
    run,
    seq,
    now: 100,
    mode,
    over,
  });

  test("stays with the run that has it, until that is over", () => {
    const { result, value } = applied(undefined, asks("a", 1, "skip"));
    expect(result).toEqual({ kind: "has" });
    expect(applied(value, asks("a", 1, "skip"))).toEqual({ result: { kind: "has" } });
    expect(applied(value, asks("b", 2, "skip")).result).toMatchObject({ kind: "held", by: { run: "a" } });
    expect(applied(value, asks("b", 2, "skip", "a")).result).toEqual({ kind: "has" });
    // Whoever has it meanwhile is asked about anew.
    expect(applied(value, asks("b", 2, "skip", "z")).result.kind).toBe("held");
  });

  test("goes to the run of the newer event where that cancels the other", () => {
    const { value } = applied(undefined, asks("b", 2, "cancel"));
    const taken = applied(value, asks("c", 3, "cancel"));
    expect(taken.result).toEqual({ kind: "has", instead: "b" });
    expect(applied(taken.value, asks("c", 3, "cancel")).result).toEqual({ kind: "has", instead: "b" });
    expect(applied(taken.value, asks("a", 1, "cancel")).result).toMatchObject({
      kind: "refused",
      by: { run: "c" },
    });
  });
});
