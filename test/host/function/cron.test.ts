import { describe, expect, test } from "vitest";
import { compileCron } from "../../../host/function/cron.ts";
import { documentWith, problemsOf } from "./problems.ts";

/** The first times of a schedule behind a time. */
function times(pattern: string, timezone: string, after: string, count: number): string[] {
  const compiled = compileCron(pattern, timezone);
  if (!compiled.ok) throw new Error(compiled.message);
  const found: string[] = [];
  for (let at = compiled.next(Date.parse(after)); at !== undefined && found.length < count;) {
    found.push(new Date(at).toISOString());
    at = compiled.next(at);
  }
  return found;
}

describe("a schedule", () => {
  test("has its times by the wall clock of its zone", () => {
    expect(times("0 9 * * MON-FRI", "Europe/Berlin", "2026-01-02T12:00:00Z", 2)).toEqual([
      "2026-01-05T08:00:00.000Z",
      "2026-01-06T08:00:00.000Z",
    ]);
    expect(times("0 9 * * *", "Europe/Berlin", "2026-07-01T12:00:00Z", 1)).toEqual([
      "2026-07-02T07:00:00.000Z",
    ]);
    expect(times("*/20 * * * * *", "UTC", "2026-01-01T00:00:00Z", 3)).toEqual([
      "2026-01-01T00:00:20.000Z",
      "2026-01-01T00:00:40.000Z",
      "2026-01-01T00:01:00.000Z",
    ]);
    expect(times("0 0 L * *", "UTC", "2026-02-01T00:00:00Z", 1)).toEqual(["2026-02-28T00:00:00.000Z"]);
  });

  test("has a time that the clocks leave out at the first moment behind it", () => {
    expect(times("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", 2)).toEqual([
      "2026-03-29T01:00:00.000Z",
      "2026-03-30T00:30:00.000Z",
    ]);
  });

  test("has a time that comes twice at the first only, and goes on through the hour by its intervals", () => {
    expect(times("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", 2)).toEqual([
      "2026-10-25T00:30:00.000Z",
      "2026-10-26T01:30:00.000Z",
    ]);
    expect(times("*/30 * * * *", "Europe/Berlin", "2026-10-25T00:00:00Z", 3)).toEqual([
      "2026-10-25T00:30:00.000Z",
      "2026-10-25T01:00:00.000Z",
      "2026-10-25T01:30:00.000Z",
    ]);
  });

  test("knows the time before one", () => {
    const daily = compileCron("@daily", "UTC");
    expect(daily.ok && daily.previous(Date.parse("2026-01-02T00:00:00.001Z"))).toBe(Date.parse("2026-01-02"));
    expect(daily.ok && daily.previous(Date.parse("2026-01-02"))).toBe(Date.parse("2026-01-01"));
  });
});

describe("a trigger with a schedule", () => {
  const withTrigger = (trigger: object) => problemsOf(documentWith({ triggers: [trigger] }));

  test("is taken with all that it may say", () => {
    const trigger = { cron: "0 9 * * MON-FRI", timezone: "Europe/Berlin", jitter: "5m", missed: "all" };
    expect(withTrigger(trigger)).toEqual([]);
    expect(withTrigger({ cron: "@hourly" })).toEqual([]);
  });

  test.each([
    ["61 * * * *", "/triggers/0/cron", "Invalid value for minute"],
    ["* * * *", "/triggers/0/cron", "five fields"],
    ["* * * * * * 2030", "/triggers/0/cron", "five fields"],
    ["2026-01-01T00:00:00", "/triggers/0/cron", "five fields"],
    ["0 0 30 2 *", "/triggers/0/cron", "no such day comes"],
    ["@never", "/triggers/0/cron", "the schedule is wrong"],
  ])("is refused where %j is no schedule", (cron, pointer, message) => {
    expect(withTrigger({ cron })).toMatchObject([
      { code: "ERR_FUNCTION_CRON", pointer, message: expect.stringContaining(message) },
    ]);
  });

  test("is refused in a zone that there is none of, with one that may be meant", () => {
    expect(withTrigger({ cron: "@daily", timezone: "Europe/Berln" })).toMatchObject([
      { code: "ERR_FUNCTION_CRON", pointer: "/triggers/0/timezone", suggestion: "Europe/Berlin" },
    ]);
  });

  test("is refused with what belongs to an event, another policy, or too much jitter", () => {
    expect(withTrigger({ cron: "@daily", event: "a/b" })).toMatchObject([{ code: "ERR_FUNCTION_SCHEMA" }]);
    expect(withTrigger({ cron: "@daily", missed: "some" })).toMatchObject([{ code: "ERR_FUNCTION_SCHEMA" }]);
    expect(withTrigger({ cron: "@daily", jitter: "2d" })).toMatchObject([
      { code: "ERR_FUNCTION_DURATION", pointer: "/triggers/0/jitter" },
    ]);
    expect(withTrigger({ event: "a/b", timezone: "UTC" })).toMatchObject([{ code: "ERR_FUNCTION_SCHEMA" }]);
  });
});
