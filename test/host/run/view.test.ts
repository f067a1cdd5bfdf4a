import { describe, expect, test } from "vitest";
import type { HistoryEntry } from "../../../host/run/history.ts";
import { viewRun } from "../../../host/run/view.ts";
import type { FunctionDocument } from "../../../host/function/document.ts";
import type { RunSummary, StoredRun } from "../../../host/state/state.ts";

const event = { id: "e", name: "a/b", data: {}, ts: 1 };
const document: FunctionDocument = {
  id: "f",
  triggers: [{ event: "a/b" }],
  steps: { a: { name: "First" }, b: { after: [{ step: "a" }] }, c: { after: [{ step: "b" }] } },
};
const started: HistoryEntry = { type: "run.started", at: 10, event };
const attempt = (step: string, number: number, at: number) => ({
  step,
  attempt: number,
  startedAt: at - 1,
  at,
});
const failure = { code: "ERR_STEP_FAILED", message: "no" };

function run(history: readonly HistoryEntry[], more: Partial<RunSummary> = {}): StoredRun {
  return {
    id: "r",
    functionId: "f",
    functionVersion: "v",
    eventId: "e",
    eventName: "a/b",
    createdAt: 10,
    status: "running",
    revision: 1,
    history,
    ...more,
  };
}

const statuses = (stored: StoredRun) =>
  Object.fromEntries(viewRun(document, stored).steps.map(({ id, status }) => [id, status]));

describe("the view of a run", () => {
  test("has the steps that have not begun, with what their document says", () => {
    const view = viewRun(document, run([started]));
    expect(view).toMatchObject({ id: "r", event, status: "running" });
    expect(view).not.toHaveProperty("history");
    expect(view.steps).toEqual([
      { id: "a", name: "First", status: "pending", attempts: [] },
      { id: "b", after: ["a"], status: "pending", attempts: [] },
      { id: "c", after: ["b"], status: "pending", attempts: [] },
    ]);
  });

  test("has every attempt of a step, its output and the next attempt's time", () => {
    const history: HistoryEntry[] = [
      started,
      {
        type: "step.failed",
        ...attempt("a", 1, 20),
        failure,
        retryAt: 50,
        logs: [{ level: "info", message: "x" }],
      },
    ];
    expect(viewRun(document, run(history)).steps[0]).toEqual({
      id: "a",
      name: "First",
      status: "retrying",
      retryAt: 50,
      attempts: [{ attempt: 1, startedAt: 19, endedAt: 20, failure, logLines: 1 }],
    });
    history.push({ type: "step.completed", ...attempt("a", 2, 60), output: { n: 1 } });
    const [step] = viewRun(document, run(history)).steps;
    expect(step).toMatchObject({ status: "completed", output: { n: 1 } });
    expect(step).not.toHaveProperty("retryAt");
    expect(step?.attempts).toHaveLength(2);
  });

  test("tells skipped and failed steps from those that a finished run never reached", () => {
    const history: HistoryEntry[] = [
      started,
      { type: "step.skipped", at: 11, step: "a" },
      { type: "step.failed", ...attempt("b", 5, 20), failure },
      { type: "run.failed", at: 21, failure: { ...failure, step: "b" } },
    ];
    const stored = run(history, { status: "failed", finishedAt: 21 });
    expect(statuses(stored)).toEqual({ a: "skipped", b: "failed", c: "unreached" });
    expect(viewRun(document, stored).failure).toEqual({ ...failure, step: "b" });
  });

  test("shows no next attempt once the run is cancelled", () => {
    const history: HistoryEntry[] = [
      started,
      { type: "step.failed", ...attempt("a", 1, 20), failure, retryAt: 50 },
      { type: "run.cancelled", at: 30, reason: "asked to" },
    ];
    const view = viewRun(document, run(history, { status: "cancelled", finishedAt: 30 }));
    expect(view.reason).toBe("asked to");
    expect(view.steps[0]).toMatchObject({ status: "failed" });
    expect(view.steps[0]).not.toHaveProperty("retryAt");
  });

  test("tells what the run waits for from what would cancel it", () => {
    const armed = (wait: string, eventName: string): HistoryEntry => ({
      type: "wait.armed",
      at: 20,
      wait,
      from: "$trigger",
      eventName,
      until: 90,
    });
    const { waits } = viewRun(document, run([started, armed("w1", "a/b"), armed("c1", "c/d")]));
    expect(waits).toMatchObject([
      { event: "a/b", status: "waiting" },
      { event: "c/d", status: "waiting", cancels: true },
    ]);
    expect(waits![0]).not.toHaveProperty("cancels");
  });

  test("says until when a step sleeps, once all is known that it depends on", () => {
    const after = [
      { step: "a", wait: "10s" },
      { step: "b", wait: "1s" },
    ];
    const sleeping = (
      join: "all" | "any",
      history: readonly HistoryEntry[],
      more: Partial<RunSummary> = {},
    ) => {
      const steps = { a: {}, b: {}, c: { join, after }, d: { after: [{ step: "a" }] } };
      const stored = run([started, ...history], { status: "parked", ...more });
      return viewRun({ ...document, steps }, stored).steps.map((step) => step.sleepsUntil);
    };
    const completed = (step: string, at: number): HistoryEntry => ({
      type: "step.completed",
      ...attempt(step, 1, at),
      output: 1,
    });
    const both = [completed("a", 100), completed("b", 200)];
    const none = [undefined, undefined, undefined, undefined];
    expect(sleeping("all", both)).toEqual([undefined, undefined, 10_100, undefined]);
    expect(sleeping("any", both)).toEqual([undefined, undefined, 1_200, undefined]);
    expect(sleeping("any", [completed("a", 100)])).toEqual([undefined, undefined, 10_100, undefined]);
    expect(sleeping("all", [completed("a", 100)])).toEqual(none);
    expect(sleeping("all", [...both, completed("c", 20_000)])).toEqual(none);
    expect(sleeping("all", both, { status: "cancelled", finishedAt: 300 })).toEqual(none);
  });

  test("says what it waits for while it waits for its turn", () => {
    const history: HistoryEntry[] = [started, { type: "run.queued", at: 12, reason: "full", until: 90 }];
    expect(viewRun(document, run(history)).queued).toEqual({ since: 12, reason: "full", until: 90 });
    const over = run(history, { status: "cancelled", finishedAt: 30 });
    expect(viewRun(document, over)).not.toHaveProperty("queued");
    history.push({ type: "run.admitted", at: 90 });
    expect(viewRun(document, run(history))).not.toHaveProperty("queued");
  });

  test("without a document has the steps that the history knows", () => {
    const history: HistoryEntry[] = [
      started,
      { type: "step.completed", ...attempt("z", 1, 20), output: null },
    ];
    expect(viewRun(undefined, run(history)).steps.map(({ id }) => id)).toEqual(["z"]);
  });
});
