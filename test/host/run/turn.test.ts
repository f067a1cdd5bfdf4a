import { describe, expect, test } from "vitest";
import type { HistoryEntry } from "../../../host/run/history.ts";
import { foldHistory } from "../../../host/run/run-view.ts";
import { transition } from "../../../host/run/transition.ts";
import { define, functionVersion } from "../../../host/function/define.ts";
import type { FunctionDocument } from "../../../host/function/document.ts";

const event = { id: "e", name: "a/b", data: {}, ts: 0 };
const started: HistoryEntry = { type: "run.started", at: 1_000, event };
const queued: HistoryEntry = { type: "run.queued", at: 1_000, reason: "throttle: 1 in 1m", until: 61_000 };

function next(history: readonly HistoryEntry[], now: number, more: Partial<FunctionDocument> = {}) {
  const document = { id: "f", triggers: [{ event: "a/b" }], steps: { a: {} }, ...more };
  const definition = define(functionVersion(document, {}, 0));
  const { decided, execute, wakeAt } = transition(definition, foldHistory(history), {
    now,
    underWay: new Set(),
  });
  return { decided: decided.map(({ type }) => type), execute: execute.map(({ step }) => step.id), wakeAt };
}

describe("a run that waits for its turn until a time", () => {
  test("has nothing decided or executed before it", () => {
    expect(next([started, queued], 60_999)).toEqual({ decided: [], execute: [], wakeAt: 61_000 });
    expect(next([started, queued], 61_000)).toEqual({
      decided: ["run.admitted"],
      execute: ["a"],
      wakeAt: undefined,
    });
  });

  test("begins then: what it waited counts neither for its timeout nor for waits from the trigger", () => {
    const more = {
      timeout: "30s",
      steps: { a: { after: [{ step: "$trigger", wait: "10s" }] } },
    };
    expect(next([started, queued], 50_000, more)).toEqual({ decided: [], execute: [], wakeAt: 61_000 });
    const admitted = [started, queued, { type: "run.admitted", at: 61_500 }] as const;
    expect(next(admitted, 61_500, more)).toEqual({ decided: [], execute: [], wakeAt: 71_500 });
    expect(next(admitted, 71_500, more).execute).toEqual(["a"]);
    expect(next(admitted, 91_500, more).decided).toEqual(["run.timedOut", "run.failed"]);
  });

  test("is cancelled when it has waited longer than its function's startTimeout", () => {
    const more = { startTimeout: "20s" };
    expect(next([started, queued], 20_999, more)).toEqual({ decided: [], execute: [], wakeAt: 21_000 });
    expect(next([started, queued], 21_000, more).decided).toEqual(["run.cancelled"]);
    const admitted = [started, queued, { type: "run.admitted", at: 15_000 }] as const;
    expect(next(admitted, 30_000, more).execute).toEqual(["a"]);
  });

  test("executes nothing while it is paused, and may be cancelled", () => {
    const paused: HistoryEntry = { type: "run.paused", at: 2_000 };
    expect(next([started, queued, paused], 61_000)).toMatchObject({ execute: [] });
    expect(next([started, queued, { type: "run.cancelled", at: 2_000 }], 61_000)).toMatchObject({
      decided: [],
      execute: [],
    });
  });

  test("runs again at once when it is retried after it was refused", () => {
    const history: HistoryEntry[] = [
      started,
      queued,
      { type: "run.cancelled", at: 3_000 },
      { type: "run.retried", at: 4_000, steps: [], waits: [] },
    ];
    expect(next(history, 4_000)).toMatchObject({ decided: [], execute: ["a"] });
  });
});
