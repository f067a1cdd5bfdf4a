import { describe, expect, test } from "vitest";
import type { HistoryEntry } from "../../../host/run/history.ts";
import { foldHistory } from "../../../host/run/run-view.ts";
import { transition, type Moment } from "../../../host/run/transition.ts";
import type { WaitLook } from "../../../host/run/wait-decisions.ts";
import type { Definition, WaitDefinition } from "../../../host/function/definition.ts";
import { sketch, when } from "./definition-fixture.ts";

const own = { id: "e", name: "a/b", data: { n: 1 }, ts: 0 };
const started: HistoryEntry = { type: "run.started", at: 0, event: own, eventSeq: 10 };

function wait(id: string, more: Partial<WaitDefinition> = {}): WaitDefinition {
  return { id, from: "a", event: "paid", ttlMs: 100, leadsTo: ["b"], visible: ["a"], before: [], ...more };
}

function stored(seq: number, more: { name?: string; n?: number; storedAt?: number; id?: string } = {}) {
  const { name = "paid", n = 1, storedAt = 20, id = `e${seq}` } = more;
  return { seq, storedAt, event: { id, name, data: { n }, ts: 0 } };
}

function completed(step: string, at = 10): HistoryEntry {
  return { type: "step.completed", step, attempt: 1, startedAt: at, at, output: null };
}

function armed(id: string, until = 110, eventName = "paid"): HistoryEntry {
  return { type: "wait.armed", at: 11, wait: id, from: "a", eventName, until, key: "k" };
}

function matched(id: string, eventId: string): HistoryEntry {
  return { type: "wait.matched", at: 12, wait: id, event: { ...own, id: eventId, name: "paid" } };
}

/** What is next after this history, in short. */
function next(definition: Definition, history: readonly HistoryEntry[], moment: Partial<Moment> = {}) {
  const view = foldHistory([started, ...history]);
  const { decided, execute, wakeAt, look } = transition(definition, view, {
    now: 20,
    underWay: new Set(),
    ...moment,
  });
  const short = (entry: HistoryEntry): string => {
    const of = "wait" in entry ? ` ${entry.wait}` : "step" in entry ? ` ${entry.step}` : "";
    return `${entry.type.replace("wait.", "")}${of}`;
  };
  return {
    ...(decided.length === 0 ? {} : { decided: decided.map(short) }),
    ...(execute.length === 0
      ? {}
      : { execute: execute.map(({ step, async }) => `${step.id}${async ? ` with ${async.id}` : ""}`) }),
    ...(wakeAt === undefined ? {} : { wakeAt }),
    ...(look === undefined
      ? {}
      : { look: look.map(({ kind, wait, until }) => `${kind} ${wait.id} ${until}`) }),
  };
}

function taken(look: WaitLook, at = 15): NonNullable<Moment["looked"]> {
  return new Map([[look.wait.id, { look, at }]]);
}

describe("a wait after a step", () => {
  const only = wait("w1");
  const definition = sketch({ a: {}, b: { after: [{ from: "a", wait: "w1", waits: ["w1"] }] } }, undefined, [
    only,
  ]);

  test("is not begun before the step has completed", () => {
    expect(next(definition, [])).toEqual({ execute: ["a"] });
  });

  test("asks to be armed first, and is decided on once it is", () => {
    expect(next(definition, [completed("a")])).toEqual({ look: ["arm w1 110"] });
    const place = { path: "[]", key: "k" };
    const looked = taken({ kind: "arm", wait: only, until: 110, place });
    expect(next(definition, [completed("a")], { looked })).toEqual({ decided: ["armed w1"], wakeAt: 110 });
    expect(next(definition, [completed("a")], { looked, offered: [stored(11)] })).toEqual({
      decided: ["armed w1", "matched w1"],
      execute: ["b with e11"],
    });
  });

  test("takes the first event that was stored after the trigger and within its time", () => {
    const history = [completed("a"), armed("w1")];
    const after = (...offered: NonNullable<Moment["offered"]>) => next(definition, history, { offered });
    const sleeps = { wakeAt: 110 };
    expect(after()).toEqual(sleeps);
    expect(after(stored(9))).toEqual(sleeps);
    expect(after(stored(10))).toEqual(sleeps);
    expect(after(stored(11, { name: "other" }))).toEqual(sleeps);
    expect(after(stored(11, { id: "e" }))).toEqual(sleeps);
    expect(after(stored(11, { storedAt: 111 }))).toEqual(sleeps);
    expect(after(stored(11, { storedAt: 110 }))).toMatchObject({ decided: ["matched w1"] });
    expect(after(stored(13), stored(12))).toEqual({ decided: ["matched w1"], execute: ["b with e12"] });
  });

  test("times out only once what was stored in its time has been looked at", () => {
    const history = [completed("a"), armed("w1")];
    expect(next(definition, history, { now: 110 })).toEqual({ look: ["sweep w1 110"] });
    const looked = taken({ kind: "sweep", wait: only, until: 110 }, 110);
    const over = ["timedOut w1", "step.skipped b", "run.completed"];
    expect(next(definition, history, { now: 110, looked })).toEqual({ decided: over });
    expect(next(definition, history, { now: 200, looked, offered: [stored(20, { storedAt: 90 })] })).toEqual({
      decided: ["matched w1"],
      execute: ["b with e20"],
    });
    // What was looked at before its time was over says nothing about the rest of it.
    const early = taken({ kind: "sweep", wait: only, until: 110 }, 109);
    expect(next(definition, history, { now: 110, looked: early })).toEqual({ look: ["sweep w1 110"] });
  });

  test("is not begun, or cancelled, when its step is skipped", () => {
    const both = sketch(
      {
        a: {},
        c: {},
        b: {
          after: [
            { from: "a", wait: "w1" },
            { from: "c", if: when(() => false) },
          ],
        },
      },
      undefined,
      [only],
    );
    expect(next(both, [completed("a"), completed("c")])).toEqual({
      decided: ["step.skipped b", "run.completed"],
    });
    expect(next(both, [completed("a"), armed("w1"), completed("c")])).toEqual({
      decided: ["cancelled w1", "step.skipped b", "run.completed"],
    });
  });

  test("has no part in a run that is failing", () => {
    const failure = { code: "ERR_STEP_FAILED", message: "no" };
    const history: HistoryEntry[] = [
      completed("a"),
      armed("w1"),
      { type: "step.failed", step: "x", attempt: 1, startedAt: 1, at: 1, failure },
    ];
    expect(next(definition, history, { offered: [stored(11)] })).toEqual({ decided: ["run.failed"] });
  });
});

test("twin edges of one wait: the one for its time is taken exactly when the other is not", () => {
  const definition = sketch(
    {
      a: {},
      b: { after: [{ from: "a", wait: "w1", waits: ["w1"] }] },
      c: { after: [{ from: "a", wait: "w1", onTimeout: true }] },
    },
    undefined,
    [wait("w1", { leadsTo: ["b", "c"] })],
  );
  expect(next(definition, [completed("a"), armed("w1"), matched("w1", "e11")])).toEqual({
    decided: ["step.skipped c"],
    execute: ["b with e11"],
  });
  const over: HistoryEntry = { type: "wait.timedOut", at: 110, wait: "w1" };
  expect(next(definition, [completed("a"), armed("w1"), over])).toEqual({
    decided: ["step.skipped b"],
    execute: ["c"],
  });
});

test("of two waits of a step that takes any, the first wins and the other is cancelled, also by one event", () => {
  const waits = [wait("w1"), wait("w2", { match: when(() => true) })];
  const edges = ["w1", "w2"].map((id) => ({ from: "a", wait: id, waits: [id] }));
  const definition = sketch({ a: {}, b: { join: "any", after: edges } }, undefined, waits);
  const history = [completed("a"), armed("w1"), armed("w2")];
  expect(next(definition, history, { offered: [stored(11)] })).toEqual({
    decided: ["matched w1", "cancelled w2"],
    execute: ["b with e11"],
  });
});

test("an event that a wait on the way has taken does not count again", () => {
  const waits = [wait("w1", { from: "$trigger", leadsTo: ["a"] }), wait("w2", { before: ["w1"] })];
  const definition = sketch(
    { a: { after: [{ from: "$trigger", wait: "w1" }] }, b: { after: [{ from: "a", wait: "w2" }] } },
    undefined,
    waits,
  );
  const history = [armed("w1"), matched("w1", "e11"), completed("a"), armed("w2")];
  expect(next(definition, history, { offered: [stored(11)] })).toEqual({ wakeAt: 110 });
  expect(next(definition, history, { offered: [stored(12)] })).toMatchObject({ decided: ["matched w2"] });
});

test("a condition on the event is decided when that has come, and one without it at once", () => {
  const condition = (ifAsync: boolean) =>
    sketch(
      { a: {}, b: { after: [{ from: "a", wait: "w1", waits: ["w1"], if: when(() => false), ifAsync }] } },
      undefined,
      [wait("w1")],
    );
  expect(next(condition(false), [completed("a")])).toEqual({ decided: ["step.skipped b", "run.completed"] });
  expect(next(condition(true), [completed("a")])).toEqual({ look: ["arm w1 110"] });
  expect(next(condition(true), [completed("a"), armed("w1"), matched("w1", "e11")])).toEqual({
    decided: ["step.skipped b", "run.completed"],
  });
});

test("a wait and a duration on one edge must both be through", () => {
  const edge = { from: "a", wait: "w1", waits: ["w1"], waitMs: 40 };
  const definition = sketch({ a: {}, b: { after: [edge] } }, undefined, [wait("w1")]);
  const history = [completed("a"), armed("w1"), matched("w1", "e11")];
  expect(next(definition, history)).toEqual({ wakeAt: 50 });
  expect(next(definition, history, { now: 50 })).toEqual({ execute: ["b with e11"] });
});
