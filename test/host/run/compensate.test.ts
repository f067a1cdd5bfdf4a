import { describe, expect, test } from "vitest";
import { stepInput } from "../../../host/run/step-input.ts";
import type { HistoryEntry } from "../../../host/run/history.ts";
import { retriedEntry } from "../../../host/run/retried.ts";
import { applyEntry, foldHistory } from "../../../host/run/run-view.ts";
import { transition } from "../../../host/run/transition.ts";
import type { Definition } from "../../../host/function/definition.ts";
import type { Json } from "../../../runtime/json.ts";
import { each, sketch } from "./definition-fixture.ts";

const event = { id: "e", name: "a/b", data: { rows: ["a", "b", "c"] }, ts: 0 };
const started: HistoryEntry = { type: "run.started", at: 0, event };
const failure = { code: "ERR_STEP_FAILED", message: "no" };
const timing = { attempt: 1, startedAt: 10, at: 10 };
const header = {
  id: "r",
  functionId: "f",
  functionVersion: "v",
  eventId: "e",
  eventName: "a/b",
  createdAt: 0,
};

const completed = (step: string, output: Json = `out ${step}`): HistoryEntry => ({
  type: "step.completed",
  step,
  ...timing,
  output,
});
const failed = (step: string, retryAt?: number, attempt = 1): HistoryEntry => ({
  type: "step.failed",
  step,
  ...timing,
  attempt,
  failure,
  ...(retryAt === undefined ? {} : { retryAt }),
});
const undoing = (...steps: [string, string][]): HistoryEntry => ({
  type: "run.compensating",
  at: 11,
  steps: steps.map(([step, by]) => ({ step, by })),
});

function next(definition: Definition, history: readonly HistoryEntry[], underWay: string[] = [], now = 20) {
  const view = foldHistory([started, ...history]);
  const { decided, execute, wakeAt, abandon } = transition(definition, view, {
    now,
    underWay: new Set(underWay),
  });
  return {
    view,
    wakeAt,
    abandon,
    execute,
    decided,
    said: [
      ...decided.map((entry) => ("step" in entry ? `${entry.type} ${entry.step}` : entry.type)),
      ...execute.map(({ step, item }) => `${step.id}${item === undefined ? "" : `:${item.index}`}`),
    ],
  };
}

const saga = sketch(
  {
    reserve: { compensate: "release" },
    charge: { compensate: "refund" },
    note: { after: ["reserve"] },
    ship: { after: ["charge", "note"] },
    release: {},
    refund: {},
    tell: {},
  },
  "tell",
);
const done = [completed("reserve"), completed("charge"), completed("note")];
const order = undoing(["charge", "refund"], ["reserve", "release"]);

describe("a run that has failed", () => {
  test("undoes what its steps did, one after the other, the last that completed first, and then handles the failure", () => {
    const broken = [...done, failed("ship")];
    const { decided, said } = next(saga, broken);
    expect(decided).toEqual([{ ...order, at: 20 }]);
    expect(said).toEqual(["run.compensating", "refund"]);
    expect(next(saga, [...broken, order], ["refund"]).said).toEqual([]);
    expect(next(saga, [...broken, order, completed("refund")]).said).toEqual(["release"]);
    const all = [...broken, order, completed("refund"), completed("release")];
    expect(next(saga, all).said).toEqual(["tell"]);
    expect(next(saga, [...all, completed("tell")]).decided).toEqual([
      { type: "run.failed", at: 20, failure: { ...failure, step: "ship" }, undone: ["charge", "reserve"] },
    ]);
  });

  test("goes by the order in which they completed, not by that of the document", () => {
    const history = [
      failed("reserve", 15),
      completed("charge"),
      completed("reserve"),
      completed("note"),
      failed("ship"),
    ];
    const { decided } = next(saga, history);
    expect(decided[0]).toMatchObject({ steps: [{ step: "reserve" }, { step: "charge" }] });
  });

  test("undoes nothing that did not complete, and says nothing of it", () => {
    const { decided, said } = next(saga, [completed("note"), failed("reserve"), failed("charge")]);
    expect(said).toEqual(["tell"]);
    expect(decided).toEqual([]);
    const over = next(saga, [failed("reserve"), completed("tell")]).decided;
    expect(over[0]).not.toHaveProperty("undone");
  });

  test("waits for what is under way, and undoes it too", () => {
    expect(next(saga, [completed("charge"), failed("note")], ["reserve"]).said).toEqual([]);
    const { decided } = next(saga, [completed("charge"), failed("note"), completed("reserve")]);
    expect(decided[0]).toMatchObject({ steps: [{ step: "reserve" }, { step: "charge" }] });
  });

  test("tries a compensation again, and goes on with the others when one has failed for good", () => {
    const broken = [...done, failed("ship"), order];
    expect(next(saga, [...broken, failed("refund", 50)])).toMatchObject({ said: [], wakeAt: 50 });
    expect(next(saga, [...broken, failed("refund", 50)], [], 50).execute[0]).toMatchObject({ attempt: 2 });
    expect(next(saga, [...broken, failed("refund")]).said).toEqual(["release"]);
    const ended = next(saga, [...broken, failed("refund"), completed("release"), completed("tell")]);
    expect(ended.decided[0]).toMatchObject({
      type: "run.failed",
      failure: { step: "ship" },
      undone: ["reserve"],
      notUndone: ["charge"],
    });
  });

  test("starts no compensation while it is paused", () => {
    const paused: HistoryEntry = { type: "run.paused", at: 12 };
    expect(next(saga, [...done, failed("ship"), paused]).said).toEqual(["run.compensating"]);
  });

  test("because its time is over undoes what it did, too", () => {
    const late: HistoryEntry = { type: "run.timedOut", at: 12, failure };
    expect(next(saga, [completed("charge"), late], ["reserve"]).abandon).toBe(true);
    expect(next(saga, [completed("charge"), late]).said).toEqual(["run.compensating", "refund"]);
  });
});

describe("a run that is to be cancelled", () => {
  const cancelling: HistoryEntry = { type: "run.cancelling", at: 12, reason: "wrong" };

  test("lets what is under way end, undoes what was done, and ends as cancelled, without `onFailure`", () => {
    expect(next(saga, [completed("charge"), cancelling], ["reserve"])).toMatchObject({
      said: [],
      abandon: undefined,
    });
    expect(next(saga, [...done, cancelling]).said).toEqual(["run.compensating", "refund"]);
    const all = [...done, cancelling, order, completed("refund"), completed("release")];
    expect(next(saga, all).decided).toEqual([
      { type: "run.cancelled", at: 20, reason: "wrong", undone: ["charge", "reserve"] },
    ]);
  });

  test("ends as cancelled even if a step under way fails, or a compensation does", () => {
    const all = [
      completed("charge"),
      cancelling,
      failed("reserve"),
      undoing(["charge", "refund"]),
      failed("refund"),
    ];
    expect(next(saga, all).decided).toMatchObject([
      { type: "run.cancelled", undone: [], notUndone: ["charge"] },
    ]);
  });

  test("goes on with that though it was paused", () => {
    expect(next(saga, [...done, { type: "run.paused", at: 11 }, cancelling]).said).toContain("refund");
  });
});

describe("what undoes a step is given", () => {
  test("its output, why the run failed, and a key of its own", () => {
    const { execute, view } = next(saga, [...done, failed("ship")]);
    const input = stepInput(header, { ...view, event }, execute[0]!, 0);
    expect(input).toMatchObject({
      output: "out charge",
      steps: { charge: "out charge" },
      ctx: { stepId: "refund", idempotencyKey: "r:refund", failure: { step: "ship", ...failure } },
    });
  });
});

describe("a step that runs once an item", () => {
  const list = sketch({
    add: {
      forEach: each(({ data }) => (data as { rows: Json }).rows, { concurrency: 2, bears: 9 }),
      compensate: "drop",
    },
    last: { after: ["add"] },
    drop: {},
  });
  const begun: HistoryEntry = { type: "items.begun", at: 5, step: "add", count: 3, gives: "results" };
  const item = (step: string, index: number): HistoryEntry => ({
    type: "item.completed",
    step,
    item: index,
    ...timing,
    bytes: 3,
    output: `${step} ${index}`,
  });
  const itemFailed = (step: string, index: number): HistoryEntry => ({
    type: "item.failed",
    step,
    item: index,
    ...timing,
    failure,
  });
  const all: HistoryEntry[] = [
    begun,
    item("add", 1),
    itemFailed("add", 0),
    item("add", 2),
    { type: "items.completed", at: 12, step: "add" },
    failed("last"),
  ];

  test("is undone item by item, those that completed, the last first, some at once", () => {
    const { said, execute, view } = next(list, all);
    expect(said).toEqual(["run.compensating", "drop:2", "drop:1"]);
    expect(stepInput(header, { ...view, event }, execute[0]!, 0)).toMatchObject({
      output: "add 2",
      item: "c",
      index: 2,
      ctx: { idempotencyKey: "r:drop:2" },
    });
    const begin = undoing(["add", "drop"]);
    expect(next(list, [...all, begin, item("drop", 2)], ["drop#1"]).said).toEqual([]);
    const ended = next(list, [...all, begin, item("drop", 2), item("drop", 1)]);
    expect(ended.said).toEqual(["items.completed drop", "run.failed"]);
    expect(ended.decided[1]).toMatchObject({ undone: ["add"] });
  });

  test("is undone as far as it went, when it failed itself", () => {
    const strict = sketch({
      add: { forEach: each(({ data }) => (data as { rows: Json }).rows), compensate: "drop" },
      drop: {},
    });
    const history: HistoryEntry[] = [{ ...begun, gives: "outputs" }, item("add", 1), itemFailed("add", 0)];
    expect(next(strict, history).said).toEqual(["items.failed add", "run.compensating", "drop:1"]);
  });

  test("says that something is left when the compensation of an item failed", () => {
    const begin = undoing(["add", "drop"]);
    const ended = next(list, [...all, begin, itemFailed("drop", 2), item("drop", 1)]);
    expect(ended.said).toEqual(["items.failed drop", "run.failed"]);
    expect(ended.decided[1]).toMatchObject({ undone: [], notUndone: ["add"], failure: { step: "last" } });
  });

  test("does, in a retry, what was undone, and leaves alone what was not", () => {
    const begin = undoing(["add", "drop"]);
    const over: HistoryEntry[] = [
      begin,
      itemFailed("drop", 2),
      item("drop", 1),
      { type: "items.failed", at: 13, step: "drop", failure },
      { type: "run.failed", at: 13, failure: { ...failure, step: "last" } },
    ];
    const { view, said } = retried(list, [...all, ...over]);
    expect(said).toEqual(["add:0", "add:1"]);
    expect([...(view.items.get("add")?.results.keys() ?? [])]).toEqual([2]);
  });
});

function retried(definition: Definition, history: readonly HistoryEntry[], from?: string) {
  const view = foldHistory([started, ...history]);
  const entry = retriedEntry(definition, view, { at: 30, from });
  applyEntry(view, entry);
  const { execute } = transition(definition, view, { now: 40, underWay: new Set() });
  return {
    entry,
    view,
    execute,
    said: execute.map(({ step, item }) => `${step.id}${item === undefined ? "" : `:${item.index}`}`),
  };
}

describe("a retry of a run that was undone", () => {
  const ended: HistoryEntry[] = [
    ...done,
    failed("ship"),
    order,
    failed("refund"),
    completed("release"),
    completed("tell"),
    { type: "run.failed", at: 12, failure: { ...failure, step: "ship" } },
  ];

  test("does again what was undone and all that was done with it, with other keys; what was not stays done", () => {
    const { entry, said, view, execute } = retried(saga, ended);
    expect(entry).toMatchObject({
      steps: ["reserve", "note", "ship", "release", "refund", "tell"],
      undone: ["reserve", "release"],
    });
    expect(said).toEqual(["reserve"]);
    expect(stepInput(header, { ...view, event }, execute[0]!, 0).ctx).toMatchObject({
      idempotencyKey: "r:reserve~1",
      attempt: 2,
    });
  });

  test("undoes all of it once more when it fails once more", () => {
    const again = retried(saga, ended).entry;
    const { said } = next(saga, [...ended, again, completed("reserve"), failed("note")]);
    expect(said).toEqual(["run.compensating", "release"]);
  });
});
