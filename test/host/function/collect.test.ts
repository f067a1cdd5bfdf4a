import { describe, expect, test } from "vitest";
import { define, functionVersion } from "../../../host/function/define.ts";
import type { FunctionDocument } from "../../../host/function/document.ts";
import { documentWith, pairsOf, problemsOf } from "./problems.ts";

function defined(parts: Partial<FunctionDocument>) {
  const document = { id: "f", triggers: [{ event: "a/b" }], steps: { one: {} }, ...parts };
  return define(functionVersion(document, {}, 0));
}

function scope(data: object) {
  return { event: { data }, data, user: undefined, ts: 0, name: "a/b" };
}

describe("a document whose runs collect events", () => {
  test("is taken with all that it may say", () => {
    const batch = {
      maxSize: 100,
      timeout: "30s",
      key: "[data.tenant, data.kind]",
      if: "data.urgent != true",
    };
    expect(pairsOf(documentWith({ batch }))).toEqual([]);
    expect(pairsOf(documentWith({ debounce: { period: "30s", key: "data.doc", timeout: "10m" } }))).toEqual(
      [],
    );
  });

  test("becomes amounts and functions", () => {
    const { collects } = defined({
      batch: { maxSize: 5, timeout: "30s", key: "[data.tenant, 1]", if: "data.n > 1.0" },
    });
    expect(collects).toMatchObject({ by: "batch", maxSize: 5, timeoutMs: 30_000 });
    expect(collects?.key?.value(scope({ tenant: "a" }))).toEqual({ kind: "value", value: ["a", 1] });
    expect(collects?.by === "batch" && collects.if?.evaluate(scope({ n: 2 }))).toEqual({
      kind: "value",
      value: true,
    });
    expect(defined({ debounce: { period: "2s" } }).collects).toEqual({ by: "debounce", periodMs: 2_000 });
    expect(defined({}).collects).toBeUndefined();
  });

  test.each<[string, object, string[]]>([
    [
      "what is missing, unknown or out of range",
      { batch: { maxSize: 0, timeout: "0s", size: 1 }, debounce: { key: 1 } },
      [
        "DURATION /batch/timeout",
        "FLOW /debounce",
        "SCHEMA /batch/maxSize",
        "SCHEMA /batch/size",
        "SCHEMA /debounce/key",
        "SCHEMA /debounce",
      ],
    ],
    [
      "more than a run may have",
      { batch: { maxSize: 10_001, timeout: "367d" } },
      ["DURATION /batch/timeout", "SCHEMA /batch/maxSize"],
    ],
    [
      "a timeout within the period",
      { debounce: { period: "1m", timeout: "30s" } },
      ["FLOW /debounce/timeout"],
    ],
    [
      "controls of single runs",
      { debounce: { period: "1m" }, throttle: { limit: 1, period: "1m" }, singleton: { mode: "skip" } },
      ["FLOW /singleton", "FLOW /throttle"],
    ],
    [
      "expressions that can't be",
      { batch: { maxSize: 2, timeout: "1m", key: "events", if: "'no'" }, debounce: undefined },
      ["EXPRESSION /batch/if", "EXPRESSION /batch/key"],
    ],
  ])("is refused for %s", (_, parts, expected) => {
    expect(pairsOf(documentWith(parts))).toEqual(expected.toSorted());
  });

  test("lets the run's expressions see its events, and those of other functions not", () => {
    const one = { path: "file://./one.ts" };
    const after = [{ step: "one", if: "events.size() > 1" }];
    const parts = { steps: { one, two: { ...one, after } }, output: "{'count': events.size()}" };
    expect(pairsOf(documentWith({ ...parts, batch: { maxSize: 2, timeout: "1m" } }))).toEqual([]);
    expect(pairsOf(documentWith(parts))).toEqual(["EXPRESSION /output", "EXPRESSION /steps/two/after/0/if"]);
    expect(problemsOf(documentWith(parts))[0]?.message).toMatch(/`events`/);
  });
});
