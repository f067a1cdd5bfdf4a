import { describe, expect, test } from "vitest";
import { stepInput } from "../../../host/run/step-input.ts";
import type { HistoryEntry } from "../../../host/run/history.ts";
import { createOpenItems } from "../../../host/run/open-items.ts";
import { retriedEntry } from "../../../host/run/retried.ts";
import { applyEntry, foldHistory, type RunView } from "../../../host/run/run-view.ts";
import { transition } from "../../../host/run/transition.ts";
import type { Definition } from "../../../host/function/definition.ts";
import type { Json } from "../../../runtime/json.ts";
import { seeded } from "../../random.ts";
import { each, sketch } from "./definition-fixture.ts";

const started: HistoryEntry = {
  type: "run.started",
  at: 0,
  event: { id: "e", name: "a/b", data: { rows: ["a", "b", "c", "d"] }, ts: 0 },
};
const rows = ({ data }: { readonly data: unknown }): Json => (data as { rows: Json }).rows;
const failure = { code: "ERR_STEP_FAILED", message: "no" };
const timing = { attempt: 1, startedAt: 10, at: 10 };

const begun = (count = 4, gives: "outputs" | "results" = "outputs", step = "s"): HistoryEntry => ({
  type: "items.begun",
  at: 5,
  step,
  count,
  gives,
});
const done = (item: number, output: Json = `out ${item}`, bytes = 5): HistoryEntry => ({
  type: "item.completed",
  step: "s",
  item,
  ...timing,
  bytes,
  output,
});
const failed = (item: number, attempt = 1, retryAt?: number): HistoryEntry => ({
  type: "item.failed",
  step: "s",
  item,
  ...timing,
  attempt,
  failure,
  ...(retryAt === undefined ? {} : { retryAt }),
});

/** What is next, in short: "s:2#1" is the first attempt of the third item. */
function next(definition: Definition, history: readonly HistoryEntry[], underWay: string[] = [], now = 20) {
  const view = foldHistory([started, ...history]);
  const { decided, execute, wakeAt } = transition(definition, view, { now, underWay: new Set(underWay) });
  return {
    view,
    decided: decided.map((entry) => ("step" in entry ? `${entry.type} ${entry.step}` : entry.type)),
    execute: execute.map(
      ({ step, item, attempt }) => `${step.id}${item === undefined ? "" : `:${item.index}`}#${attempt}`,
    ),
    entries: decided,
    executions: execute,
    wakeAt,
  };
}

describe("a step that runs once an item", () => {
  const definition = sketch({ s: { forEach: each(rows, { concurrency: 2 }) }, t: { after: ["s"] } });

  test("makes its list of the event, and begins as many items as it may at once, the first in front", () => {
    expect(next(definition, [])).toMatchObject({ decided: ["items.begun s"], execute: ["s:0#1", "s:1#1"] });
    expect(next(definition, []).executions.map(({ item }) => item?.value)).toEqual(["a", "b"]);
    expect(next(definition, [begun()], ["s#0", "s#1"])).toMatchObject({ decided: [], execute: [] });
    expect(next(definition, [begun(), done(1)], ["s#0"])).toMatchObject({ execute: ["s:2#1"] });
    expect(next(definition, [begun(), done(1), done(2)], ["s#0"])).toMatchObject({ execute: ["s:3#1"] });
    expect(next(definition, [begun(), done(1), done(2), done(3)], ["s#0"])).toMatchObject({ execute: [] });
  });

  test("gives the outputs in the order of the list, whatever came first, to the steps behind it", () => {
    const all = [begun(), done(3), done(1), done(0), done(2)];
    const { decided, execute, view } = next(definition, all);
    expect([decided, execute]).toEqual([["items.completed s"], ["t#1"]]);
    expect(view.steps.get("s")?.output).toEqual(["out 0", "out 1", "out 2", "out 3"]);
  });

  test("is not begun by those behind it before it has completed", () => {
    expect(next(definition, [begun(), done(0), done(1), done(2)], ["s#3"])).toMatchObject({
      decided: [],
      execute: [],
    });
  });

  test("of no items has completed at once, with an empty list", () => {
    const none = sketch({ s: { forEach: each(() => []) }, t: { after: ["s"] } });
    const { decided, execute, view } = next(none, []);
    expect([decided, execute]).toEqual([["items.begun s", "items.completed s"], ["t#1"]]);
    expect(view.steps.get("s")?.output).toEqual([]);
  });

  test.each<[string, Json, string]>([
    ["an object", {}, "gives an object, not a list"],
    ["nothing", null, "gives null, not a list"],
    ["too many items", Array.from({ length: 10_001 }, () => 1), "10001 items; 10000 are allowed"],
  ])("that is given %s for a list fails for good, and the run with it", (_, list, message) => {
    const wrong = sketch({ s: { forEach: each(() => list) }, t: {} });
    const { entries, execute } = next(wrong, []);
    expect(execute).toEqual([]);
    expect(entries).toMatchObject([
      {
        type: "items.failed",
        step: "s",
        failure: { code: "ERR_ITEMS", message: expect.stringContaining(message) },
      },
      { type: "run.failed", failure: { code: "ERR_ITEMS", step: "s" } },
    ]);
  });
});

describe("an item that fails", () => {
  const definition = sketch({ s: { forEach: each(rows, { concurrency: 2 }) } });

  test("keeps its place while it waits for its next attempt", () => {
    expect(next(definition, [begun(), failed(0, 1, 50)], ["s#1"])).toMatchObject({ execute: [], wakeAt: 50 });
    expect(next(definition, [begun(), failed(0, 1, 50), done(1)])).toMatchObject({
      execute: ["s:2#1"],
      wakeAt: 50,
    });
    expect(next(definition, [begun(), failed(0, 1, 50), done(1)], ["s#2"], 50)).toMatchObject({
      execute: ["s:0#2"],
    });
    expect(next(definition, [begun(), failed(0, 1, 50), done(1)], ["s#0", "s#2"], 50).execute).toEqual([]);
  });

  test("for good ends the step, once what is under way has ended; nothing more begins", () => {
    expect(next(definition, [begun(), failed(0)], ["s#1"])).toMatchObject({ decided: [], execute: [] });
    const { entries } = next(definition, [begun(), failed(0), done(1)]);
    const message = "One item has failed; the first is item 0: ERR_STEP_FAILED no";
    expect(entries).toMatchObject([
      { type: "items.failed", failure: { code: "ERR_ITEMS_FAILED", message } },
      { type: "run.failed" },
    ]);
  });

  test("is a part of the output where the step goes on even so", () => {
    const goesOn = sketch({ s: { forEach: each(rows, { bears: 2 }) }, t: { after: ["s"] } });
    const history = [begun(4, "results"), failed(2), done(0), done(1), done(3)];
    const { decided, execute, view } = next(goesOn, history);
    expect([decided, execute]).toEqual([["items.completed s"], ["t#1"]]);
    expect(view.steps.get("s")?.output).toEqual([
      { ok: true, output: "out 0" },
      { ok: true, output: "out 1" },
      { ok: false, ...failure },
      { ok: true, output: "out 3" },
    ]);
    const { entries } = next(goesOn, [begun(4, "results"), failed(2), failed(0), failed(1)]);
    expect(entries[0]).toMatchObject({
      type: "items.failed",
      failure: { message: expect.stringContaining("3 items have failed, and 2 of 4 may") },
    });
  });

  test("may be a share of them", () => {
    const share = each(rows, { bears: 99 });
    const goesOn = sketch({ s: { forEach: { ...share, bears: { items: 99, share: 0.25 } } } });
    expect(next(goesOn, [begun(4, "results"), failed(0)]).execute).toHaveLength(3);
    expect(next(goesOn, [begun(4, "results"), failed(0), failed(1)]).decided).toContain("items.failed s");
  });

  test("too much output of all together fails the step, and its run with it", () => {
    const { entries } = next(definition, [begun(), done(0, "", 9_000_000), done(1, "", 9_000_000)]);
    expect(entries[0]).toMatchObject({ type: "items.failed", failure: { code: "ERR_ITEMS_OUTPUT" } });
  });
});

describe("a retry of the run", () => {
  const definition = sketch({
    read: {},
    s: { after: ["read"], forEach: each(rows, { bears: 1 }) },
    t: { after: ["s"] },
  });
  const read: HistoryEntry = { type: "step.completed", step: "read", ...timing, output: null };
  const retry = (history: readonly HistoryEntry[], from?: string): [HistoryEntry, RunView] => {
    const view = foldHistory([started, read, ...history]);
    const entry = retriedEntry(definition, view, { at: 30, from });
    applyEntry(view, entry);
    return [entry, view];
  };
  const executions = (view: RunView): string[] =>
    transition(definition, view, { now: 40, underWay: new Set() }).execute.map(
      ({ step, item, attempt }) => `${step.id}:${item?.index}#${attempt}`,
    );

  test("runs the items again that failed, and those that had not begun, and no other", () => {
    const ended: HistoryEntry[] = [
      { type: "items.failed", at: 20, step: "s", failure },
      { type: "run.failed", at: 20, failure: { ...failure, step: "s" } },
    ];
    const [entry, view] = retry([begun(4, "results"), failed(0, 5), done(2), failed(1, 3), ...ended]);
    expect(entry).toMatchObject({ steps: [], items: ["s"] });
    expect(executions(view)).toEqual(["s:0#6", "s:1#4", "s:3#1"]);
    for (const item of [0, 1, 3]) applyEntry(view, { ...(done(item) as object), attempt: 9 } as HistoryEntry);
    const { decided } = transition(definition, view, { now: 50, underWay: new Set() });
    expect(decided.map(({ type }) => type)).toEqual(["items.completed"]);
  });

  test("from the step itself runs what failed and was borne, and all behind it", () => {
    const over: HistoryEntry[] = [
      { type: "items.completed", at: 20, step: "s" },
      { type: "step.completed", step: "t", ...timing, output: 1 },
      { type: "run.completed", at: 20, outputOf: "t" },
    ];
    const history = [begun(4, "results"), done(0), failed(1), done(2), done(3), ...over];
    const [entry, view] = retry(history, "s");
    expect(entry).toMatchObject({ steps: ["t"], items: ["s"] });
    expect(executions(view)).toEqual(["s:1#2"]);
  });

  test("from the step itself runs all of them where all have completed, and from one before it too", () => {
    const over: HistoryEntry[] = [{ type: "items.completed", at: 20, step: "s" }];
    const all = [begun(4, "results"), done(0), done(1), done(2), done(3), ...over];
    const [whole, view] = retry(all, "s");
    expect(whole).toMatchObject({ steps: ["s", "t"] });
    expect(executions(view)).toEqual(["s:0#2", "s:1#2", "s:2#2", "s:3#2"]);
    const [before] = retry([begun(4, "results"), done(0), failed(1), done(2), done(3), ...over], "read");
    expect(before).toMatchObject({ steps: ["read", "s", "t"] });
  });
});

describe("what an item is given", () => {
  const definition = sketch({
    a: {},
    b: {},
    s: {
      after: ["a", "b"],
      join: "any",
      forEach: each(({ steps }) => (steps as { b?: Json }).b ?? ["only", "a"], { sees: ["b"] }),
    },
  });
  const output = (step: string, value: Json): HistoryEntry => ({
    type: "step.completed",
    step,
    ...timing,
    output: value,
  });
  const header = {
    id: "r",
    functionId: "f",
    functionVersion: "v",
    eventId: "e",
    eventName: "a/b",
    createdAt: 0,
  };
  const input = (history: readonly HistoryEntry[], underWay: string[] = []) => {
    const { view, executions } = next(definition, history, underWay);
    const first = executions.find(({ step }) => step.id === "s")!;
    return stepInput(header, { ...view, event: started.event }, first, 0);
  };

  test("is the item, its index, and a key of its own; of the outputs, what is not in the list", () => {
    const given = input([output("a", "A"), begun(2), done(0)]);
    expect(given).toMatchObject({
      item: "a",
      index: 1,
      steps: {},
      ctx: { idempotencyKey: "r:s:1", stepId: "s" },
    });
  });

  test("is as it was when the list was made, whatever has come since", () => {
    const given = input([output("a", "A"), begun(2), output("b", ["other", "list"]), done(0)]);
    expect(given).toMatchObject({ item: "a", steps: {} });
    expect(input([output("b", ["x", "y"]), begun(2), output("a", "A")])).toMatchObject({
      item: "x",
      steps: { b: ["x", "y"] },
    });
  });
});

test("open items are found as a plain search finds them", () => {
  const below = seeded(7);
  const count = 300;
  const open = createOpenItems(count);
  const plain = new Set(Array.from({ length: count }, (_, index) => index));
  while (plain.size > 0) {
    const index = below(count);
    if (!plain.delete(index)) continue;
    open.close(index);
    const from = below(count);
    const expected =
      [...plain].filter((one) => one >= from).toSorted((one, other) => one - other)[0] ?? count;
    expect(open.next(from)).toBe(expected);
  }
  expect(open.next(0)).toBe(count);
});
