import { expect, test } from "vitest";
import { retryAt } from "../../../host/run/retry.ts";

const policy = { retries: 4, initialMs: 1_000, factor: 2, maxMs: 5_000, jitter: 0 };
const failure = { code: "ERR_STEP_FAILED", message: "no", retry: true } as const;

function delays(more: object = {}, random = () => 0.5): (number | undefined)[] {
  return [1, 2, 3, 4, 5].map((attempt) =>
    retryAt({ ...policy, ...more }, { failure, attempt, at: 0 }, random),
  );
}

test("delays double up to the longest, and end after the allowed retries", () => {
  expect(delays()).toEqual([1_000, 2_000, 4_000, 5_000, undefined]);
  expect(delays({ retries: 0 })[0]).toBeUndefined();
});

test("jitter takes away up to its share of a delay", () => {
  expect(delays({ jitter: 0.5 }, () => 0)).toEqual([1_000, 2_000, 4_000, 5_000, undefined]);
  expect(delays({ jitter: 0.5 }, () => 0.999_999)).toEqual([501, 1_001, 2_001, 2_501, undefined]);
});

test("a failure for good is not tried again", () => {
  expect(
    retryAt(policy, { failure: { ...failure, retry: false }, attempt: 1, at: 0 }, Math.random),
  ).toBeUndefined();
});

test("the step's own delay goes before the policy's, but not over the allowed retries", () => {
  const wish = { ...failure, retryAfterMs: 77.2 };
  expect(retryAt(policy, { failure: wish, attempt: 1, at: 100 }, Math.random)).toBe(178);
  expect(
    retryAt(policy, { failure: { ...failure, retryAfterMs: -5 }, attempt: 1, at: 100 }, Math.random),
  ).toBe(100);
  expect(retryAt(policy, { failure: wish, attempt: 5, at: 100 }, Math.random)).toBeUndefined();
});
