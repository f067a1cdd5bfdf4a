import { expect, test } from "vitest";
import type { Json } from "../../../runtime/json.ts";
import type { HistoryEntry } from "../../../host/run/history.ts";
import { foldHistory } from "../../../host/run/run-view.ts";
import { transition } from "../../../host/run/transition.ts";
import { define, functionVersion } from "../../../host/function/define.ts";
import type { EdgeDocument, StepDocument } from "../../../host/function/document.ts";
import { documentWith, pairsOf } from "../function/problems.ts";

const path = "file://./x.ts";
/** 2026-01-01T00:00:00Z, when step `a` completes. */
const base = 1_767_225_600_000;

function next(edge: Partial<EdgeDocument>, output: Json, at: number, more: StepDocument = {}) {
  const steps = { a: { path }, b: { path, after: [{ step: "a", ...edge }], ...more } };
  const definition = define(functionVersion({ id: "f", triggers: [{ event: "a/b" }], steps }, {}, 0));
  const history: HistoryEntry[] = [
    {
      type: "run.started",
      at: base - 5,
      event: { id: "e", name: "a/b", data: { at: "2026-01-02T00:00:00+01:00" }, ts: 1 },
    },
    { type: "step.completed", step: "a", attempt: 1, startedAt: base - 1, at: base, output },
  ];
  const { decided, execute, wakeAt } = transition(definition, foldHistory(history), {
    now: at,
    underWay: new Set(),
  });
  return { decided, execute: execute.map(({ step }) => step.id), wakeAt };
}

test.each<[string, Json, number]>([
  ["output.at", "2026-01-01T01:00:00Z", base + 3_600_000],
  ["output.at", base + 5, base + 5],
  ["output.at", base + 4.5, base + 5],
  ["output.at", "10m", base + 600_000],
  ["timestamp(data.at) - duration('1h')", null, base + 22 * 3_600_000],
  ["duration('90s')", null, base + 90_000],
])("an edge waits until %s (%j)", (source, at, until) => {
  const edge = { waitUntil: source };
  expect(next(edge, { at }, until - 1)).toEqual({ decided: [], execute: [], wakeAt: until });
  expect(next(edge, { at }, until)).toMatchObject({ decided: [], execute: ["b"] });
});

test("a time that is past takes the edge at once, and a `wait` beside it must be through too", () => {
  expect(next({ waitUntil: "0" }, {}, base).execute).toEqual(["b"]);
  expect(next({ waitUntil: "'1s'", wait: "2s" }, {}, base).wakeAt).toBe(base + 2_000);
  expect(next({ waitUntil: "'3s'", wait: "2s" }, {}, base).wakeAt).toBe(base + 3_000);
});

test.each<[Json, string]>([
  [{}, "gives nothing"],
  [{ at: "tomorrow" }, 'gives "tomorrow", which is no time'],
  [{ at: true }, "gives true"],
  [{ at: -1 }, "gives -1"],
  [{ at: "2026-13-01T00:00:00Z" }, "which is no time"],
  [{ at: "2028-01-01T00:00:00Z" }, "366 days ahead"],
])("%j is no time: the step fails for good, and so does the run", (output, message) => {
  const { decided, execute } = next({ waitUntil: "output.at" }, output, base + 1);
  const failure = { code: "ERR_WAIT_UNTIL", message: expect.stringContaining(message) };
  expect(execute).toEqual([]);
  expect(decided).toEqual([
    { type: "step.failed", step: "b", attempt: 1, startedAt: base + 1, at: base + 1, failure },
    { type: "run.failed", at: base + 1, failure: { ...failure, step: "b" } },
  ]);
});

test("an edge that is not taken is not asked for its time", () => {
  const { decided } = next({ waitUntil: "output.at", if: "has(output.at)" }, {}, base);
  expect(decided.map(({ type }) => type)).toEqual(["step.skipped", "run.completed"]);
});

test("its expression is checked with the document", () => {
  const steps = (waitUntil: string) => ({ a: { path }, b: { path, after: [{ step: "a", waitUntil }] } });
  expect(pairsOf(documentWith({ steps: steps("output.at") }))).toEqual([]);
  expect(pairsOf(documentWith({ steps: steps("async.at") }))).toEqual([
    "EXPRESSION /steps/b/after/0/waitUntil",
  ]);
  expect(pairsOf(documentWith({ steps: steps("steps.c") }))).toEqual([
    "STEP_UNKNOWN /steps/b/after/0/waitUntil",
  ]);
});
