import { describe, expect, test } from "vitest";
import { attemptEntry } from "../../../host/run/attempt-entry.ts";
import { stepInput } from "../../../host/run/step-input.ts";
import type { HistoryEntry } from "../../../host/run/history.ts";
import { retriedEntry } from "../../../host/run/retried.ts";
import { foldHistory } from "../../../host/run/run-view.ts";
import { transition } from "../../../host/run/transition.ts";
import { viewRun } from "../../../host/run/view.ts";
import type { Definition } from "../../../host/function/definition.ts";
import type { Scope } from "../../../host/function/expression.ts";
import { sketch, when } from "./definition-fixture.ts";

const event = { id: "e", name: "a/b", data: {}, ts: 0 };
const started: HistoryEntry = { type: "run.started", at: 0, event };
const failure = { code: "ERR_STEP_FAILED", message: "no" };
const timing = { attempt: 1, startedAt: 10, at: 10 };
const completed = (step: string): HistoryEntry => ({ type: "step.completed", step, ...timing, output: step });
const caught = (step: string): HistoryEntry => ({
  type: "step.failed",
  step,
  ...timing,
  failure,
  caught: true,
});
const failed = (step: string): HistoryEntry => ({ type: "step.failed", step, ...timing, failure });
const code = ({ failure: given }: Scope): string => (given as { code: string }).code;

function next(definition: Definition, history: readonly HistoryEntry[], underWay: string[] = []) {
  const view = foldHistory([started, ...history]);
  const { decided, execute } = transition(definition, view, { now: 20, underWay: new Set(underWay) });
  return {
    view,
    execution: execute[0],
    said: [
      ...decided.map((entry) => ("step" in entry ? `${entry.type} ${entry.step}` : entry.type)),
      ...execute.map(({ step }) => step.id),
    ],
  };
}

describe("an edge from a failure", () => {
  const definition = sketch({
    charge: {},
    ship: { after: ["charge"] },
    apologise: { after: [{ from: "charge", onFailure: true }] },
    end: { after: ["ship", "apologise"], join: "any" },
  });

  test("is taken when its step has failed for good, and the run goes on", () => {
    expect(next(definition, [caught("charge")]).said).toEqual(["step.skipped ship", "apologise"]);
    const history = [caught("charge"), { type: "step.skipped", at: 1, step: "ship" } as const];
    expect(next(definition, [...history, completed("apologise")]).said).toEqual(["end"]);
    expect(next(definition, [...history, completed("apologise"), completed("end")]).said).toEqual([
      "run.completed",
    ]);
  });

  test("is dead when its step has completed", () => {
    expect(next(definition, [completed("charge")]).said).toEqual(["step.skipped apologise", "ship"]);
  });

  test("tells the step that it leads to why", () => {
    const { execution, view } = next(definition, [caught("charge")]);
    const header = {
      id: "r",
      functionId: "f",
      functionVersion: "v",
      eventId: "e",
      eventName: "a/b",
      createdAt: 0,
    };
    const input = stepInput(header, { ...view, event }, execution!, 0);
    expect(input.ctx.failure).toEqual({ step: "charge", ...failure });
  });

  test("has the failure of its step recorded as one that is caught, the last one alone", () => {
    const step = definition.steps.get("charge")!;
    const result = {
      ok: false as const,
      failure: { ...failure, code: "ERR_STEP_FAILED" as const, retry: true },
      logs: [],
    };
    const entry = (attempt: number) =>
      attemptEntry({ step, attempt }, result, { startedAt: 1, at: 2 }, () => 0);
    expect(entry(1)).not.toHaveProperty("caught");
    expect(entry(5)).toMatchObject({ type: "step.failed", caught: true });
  });

  test("may wait, and the run meanwhile", () => {
    const later = sketch({ a: {}, b: { after: [{ from: "a", onFailure: true, waitMs: 100 }] } });
    expect(next(later, [caught("a")]).said).toEqual([]);
  });
});

describe("the run fails by a step", () => {
  test("that no edge leads from the failure of", () => {
    const definition = sketch({ a: {}, b: { after: ["a"] } });
    expect(next(definition, [failed("a")]).said).toEqual(["run.failed"]);
  });

  test("whose edges have conditions that do not hold", () => {
    const definition = sketch({
      a: {},
      b: { after: [{ from: "a", onFailure: true, if: when((scope) => code(scope) === "ERR_STEP_FATAL") }] },
      c: { after: [{ from: "a", onFailure: true, if: when((scope) => code(scope) === "ERR_STEP_TRAP") }] },
    });
    const { said } = next(definition, [caught("a")]);
    expect(said).toEqual(["step.skipped b", "step.skipped c", "step.uncaught a", "run.failed"]);
  });

  test("whose edge leads to what is skipped for another reason", () => {
    const definition = sketch({
      a: {},
      other: { after: [{ from: "$trigger", if: when(() => false) }] },
      b: { after: [{ from: "a", onFailure: true }, "other"] },
    });
    const { said } = next(definition, [caught("a")]);
    expect(said).toEqual(["step.skipped other", "step.skipped b", "step.uncaught a", "run.failed"]);
  });

  test("and not before it is known that nothing comes of the failure", () => {
    const definition = sketch({
      a: {},
      slow: {},
      b: {
        after: [
          { from: "a", onFailure: true },
          { from: "slow", if: when(() => false) },
        ],
      },
    });
    expect(next(definition, [caught("a")], ["slow"]).said).toEqual([]);
    expect(next(definition, [caught("a"), completed("slow")]).said).toContain("step.uncaught a");
  });
});

test("a list that fails is caught like any other step", () => {
  const forEach = {
    items: { source: "x", value: () => ({ kind: "value", value: 1 }) as const },
    concurrency: 1,
    gives: "outputs" as const,
    bears: { items: 0, share: 1 },
    sees: [],
  };
  const definition = sketch({ s: { forEach }, rescue: { after: [{ from: "s", onFailure: true }] } });
  expect(next(definition, []).said).toEqual(["items.failed s", "rescue"]);
});

describe("a retry of a run that failed", () => {
  const definition = sketch({
    a: {},
    b: { after: ["a"] },
    rescue: { after: [{ from: "a", onFailure: true }] },
    c: { after: ["rescue"] },
  });
  const history = [caught("a"), { type: "step.skipped", at: 1, step: "b" } as const, completed("rescue")];

  test("leaves a failure alone that led somewhere", () => {
    const view = foldHistory([started, ...history, failed("c"), { type: "run.failed", at: 3, failure }]);
    expect(retriedEntry(definition, view, { at: 4, from: undefined })).toMatchObject({ steps: ["c"] });
  });

  test("by a failure that led nowhere takes up what was skipped for it too", () => {
    const skipped = history.slice(0, 2);
    const ends: HistoryEntry[] = [
      { type: "step.skipped", at: 1, step: "rescue" },
      { type: "step.skipped", at: 1, step: "c" },
      { type: "step.uncaught", at: 2, step: "a" },
      { type: "run.failed", at: 2, failure },
    ];
    const view = foldHistory([started, ...skipped, ...ends]);
    expect(view.failed).toMatchObject({ step: "a" });
    expect(retriedEntry(definition, view, { at: 4, from: undefined })).toMatchObject({
      steps: ["a", "b", "rescue", "c"],
    });
  });
});

test("a person sees which failure was caught", () => {
  const definition = [
    started,
    caught("a"),
    completed("rescue"),
    { type: "run.completed", at: 9, outputOf: "rescue" },
  ];
  const run = {
    id: "r",
    functionId: "f",
    functionVersion: "v",
    eventId: "e",
    eventName: "a/b",
    createdAt: 0,
    status: "completed" as const,
    finishedAt: 9,
    revision: 1,
    history: definition as HistoryEntry[],
  };
  const { steps, failure: why } = viewRun(undefined, run);
  expect(why).toBeUndefined();
  expect(steps[0]).toMatchObject({ id: "a", status: "failed", caught: true });
});
