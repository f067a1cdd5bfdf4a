import { describe, expect, test } from "vitest";
import type { HistoryEntry } from "../../../host/run/history.ts";
import { foldHistory } from "../../../host/run/run-view.ts";
import { transition } from "../../../host/run/transition.ts";
import type { Definition } from "../../../host/function/definition.ts";
import { sketch, when } from "./definition-fixture.ts";

const started: HistoryEntry = {
  type: "run.started",
  at: 0,
  event: { id: "e", name: "a/b", data: { n: 1 }, ts: 0 },
};

function completed(
  step: string,
  output: HistoryEntry extends infer E ? (E extends { output: infer O } ? O : never) : never = null,
  at = 10,
): HistoryEntry {
  return { type: "step.completed", step, attempt: 1, startedAt: at, at, output };
}

function failed(step: string, attempt = 1, retryAt?: number): HistoryEntry {
  const failure = { code: "ERR_STEP_FAILED", message: "no" };
  return {
    type: "step.failed",
    step,
    attempt,
    startedAt: 10,
    at: 10,
    failure,
    ...(retryAt === undefined ? {} : { retryAt }),
  };
}

/** What is next after this history, in short. */
function next(
  definition: Definition,
  history: readonly HistoryEntry[],
  now = 20,
  underWay: readonly string[] = [],
) {
  const { decided, execute, wakeAt } = transition(definition, foldHistory([started, ...history]), {
    now,
    underWay: new Set(underWay),
  });
  return {
    ...(decided.length === 0
      ? {}
      : { decided: decided.map((entry) => ("step" in entry ? `${entry.type} ${entry.step}` : entry.type)) }),
    ...(execute.length === 0 ? {} : { execute: execute.map(({ step, attempt }) => `${step.id}#${attempt}`) }),
    ...(wakeAt === undefined ? {} : { wakeAt }),
  };
}

const nothing = {};
const over = { decided: ["run.completed"] };

describe("a waterfall", () => {
  const definition = sketch({ a: {}, b: { after: ["a"] }, c: { after: ["b"] } });

  test("runs one step after the other, and then the run is over", () => {
    expect(next(definition, [])).toEqual({ execute: ["a#1"] });
    expect(next(definition, [completed("a")])).toEqual({ execute: ["b#1"] });
    expect(next(definition, [completed("a"), completed("b")])).toEqual({ execute: ["c#1"] });
    expect(next(definition, [completed("a"), completed("b"), completed("c")])).toEqual(over);
  });

  test("does not start what is under way, nor what comes after it", () => {
    expect(next(definition, [], 20, ["a"])).toEqual(nothing);
  });

  test("has nothing left once the run is over", () => {
    const history = [
      completed("a"),
      completed("b"),
      completed("c"),
      { type: "run.completed", at: 1 } as const,
    ];
    expect(next(definition, history)).toEqual(nothing);
    expect(next(definition, [{ type: "run.cancelled", at: 1 }])).toEqual(nothing);
  });
});

describe("branches and joins", () => {
  const diamond = sketch({ a: {}, b: { after: ["a"] }, c: { after: ["a"] }, d: { after: ["b", "c"] } });

  test("starts parallel branches together", () => {
    expect(next(diamond, [completed("a")])).toEqual({ execute: ["b#1", "c#1"] });
  });

  test("joins when every edge is taken", () => {
    expect(next(diamond, [completed("a"), completed("b")], 20, ["c"])).toEqual(nothing);
    expect(next(diamond, [completed("a"), completed("c"), completed("b")])).toEqual({ execute: ["d#1"] });
  });

  test("with join any, the first edge that is taken starts the step, once", () => {
    const race = sketch({ a: {}, b: {}, c: { after: ["a", "b"], join: "any" } });
    expect(next(race, [], 20, ["a", "b"])).toEqual(nothing);
    expect(next(race, [completed("a")], 20, ["b"])).toEqual({ execute: ["c#1"] });
    expect(next(race, [completed("a"), completed("c")], 20, ["b"])).toEqual(nothing);
    expect(next(race, [completed("a"), completed("c"), completed("b")])).toEqual(over);
  });

  test("several entry steps start at once", () => {
    expect(next(sketch({ a: {}, b: {} }), [])).toEqual({ execute: ["a#1", "b#1"] });
  });
});

describe("conditions on edges", () => {
  const choice = sketch({
    a: {},
    yes: { after: [{ from: "a", if: when(({ output }) => output === true) }] },
    no: { after: [{ from: "a", if: when(({ output }) => output === false) }] },
    end: { after: ["yes", "no"], join: "any" },
  });

  test("take the edge that holds and skip the other branch", () => {
    expect(next(choice, [completed("a", true)])).toEqual({
      decided: ["step.skipped no"],
      execute: ["yes#1"],
    });
    expect(next(choice, [completed("a", false)])).toEqual({
      decided: ["step.skipped yes"],
      execute: ["no#1"],
    });
  });

  test("skip everything behind edges that can't be taken, and end the run with it", () => {
    expect(next(choice, [completed("a", "neither")])).toEqual({
      decided: ["step.skipped yes", "step.skipped no", "step.skipped end", "run.completed"],
    });
  });

  test("a join of all is skipped as soon as one of its edges is dead", () => {
    const all = sketch({
      a: {},
      b: { after: [{ from: "a", if: when(() => false) }] },
      c: {},
      d: { after: ["b", "c"] },
    });
    expect(next(all, [completed("a")], 20, ["c"])).toEqual({ decided: ["step.skipped b", "step.skipped d"] });
  });

  test("an edge from the trigger can carry one", () => {
    const guarded = sketch({
      a: { after: [{ from: "$trigger", if: when(({ data }) => (data as { n: number }).n > 1) }] },
    });
    expect(next(guarded, [])).toEqual({ decided: ["step.skipped a", "run.completed"] });
  });

  test("see the outputs of the steps before, and of no other", () => {
    let seen: unknown;
    const definition = sketch({
      a: {},
      other: {},
      b: { after: [{ from: "a", if: when(({ steps }) => ((seen = steps), true)) }] },
    });
    next(definition, [completed("other", 1), completed("a", 2)]);
    expect(seen).toEqual({ a: 2 });
  });

  test("that can't be evaluated count as false, and are told of", () => {
    const faulty = sketch({
      a: {
        after: [
          { from: "$trigger", if: { source: "x", evaluate: () => ({ kind: "error", message: "type" }) } },
        ],
      },
    });
    const errors: string[] = [];
    const { decided } = transition(faulty, foldHistory([started]), {
      now: 1,
      underWay: new Set(),
      onError: (source) => errors.push(source),
    });
    expect(decided.map((entry) => entry.type)).toEqual(["step.skipped", "run.completed"]);
    expect(errors).toEqual(["x"]);
  });
});

describe("waits on edges", () => {
  test("let the time pass after the step before has completed", () => {
    const definition = sketch({ a: {}, b: { after: [{ from: "a", waitMs: 100 }] } });
    expect(next(definition, [completed("a", null, 10)], 20)).toEqual({ wakeAt: 110 });
    expect(next(definition, [completed("a", null, 10)], 110)).toEqual({ execute: ["b#1"] });
  });

  test("of a join of all end with the longest, of a join of any with the shortest", () => {
    const edges = [
      { from: "$trigger", waitMs: 100 },
      { from: "$trigger", waitMs: 300 },
    ];
    expect(next(sketch({ a: { after: edges } }), [])).toEqual({ wakeAt: 300 });
    expect(next(sketch({ a: { after: edges, join: "any" } }), [])).toEqual({ wakeAt: 100 });
  });
});

describe("failures", () => {
  const definition = sketch({ a: {}, b: { after: ["a"] }, other: {} });

  test("that may pass are tried again, no earlier than said, with the next number", () => {
    expect(next(sketch({ a: {} }), [failed("a", 1, 500)], 499)).toEqual({ wakeAt: 500 });
    expect(next(sketch({ a: {} }), [failed("a", 1, 500)], 500)).toEqual({ execute: ["a#2"] });
    expect(next(sketch({ a: {} }), [failed("a", 1, 500), failed("a", 2, 900)], 950)).toEqual({
      execute: ["a#3"],
    });
  });

  test("for good end the run once nothing is under way, and start nothing new", () => {
    expect(next(definition, [failed("a")], 20, ["other"])).toEqual(nothing);
    expect(next(definition, [failed("a"), completed("other")])).toEqual({ decided: ["run.failed"] });
    expect(next(sketch({ a: {}, b: {} }), [failed("a"), failed("b", 1, 15)])).toEqual({
      decided: ["run.failed"],
    });
  });

  test("say in the end which step failed the run, and why", () => {
    const { decided } = transition(definition, foldHistory([started, failed("a"), failed("other")]), {
      now: 20,
      underWay: new Set(),
    });
    expect(decided).toEqual([
      { type: "run.failed", at: 20, failure: { code: "ERR_STEP_FAILED", message: "no", step: "a" } },
    ]);
  });

  describe("with an onFailure step", () => {
    const guarded = sketch({ a: {}, other: {}, cleanup: {} }, "cleanup");

    test("have it run once the rest has ended, and then the run is over", () => {
      expect(next(guarded, [failed("a")], 20, ["other"])).toEqual(nothing);
      expect(next(guarded, [failed("a"), completed("other")])).toEqual({ execute: ["cleanup#1"] });
      expect(next(guarded, [failed("a"), completed("other"), completed("cleanup")])).toEqual({
        decided: ["run.failed"],
      });
    });

    test("try it again by its own policy, and end the run when it fails for good", () => {
      const history = [failed("a"), completed("other")];
      expect(next(guarded, [...history, failed("cleanup", 1, 500)], 400)).toEqual({ wakeAt: 500 });
      expect(next(guarded, [...history, failed("cleanup", 1, 500)], 500)).toEqual({ execute: ["cleanup#2"] });
      expect(next(guarded, [...history, failed("cleanup")])).toEqual({ decided: ["run.failed"] });
    });

    test("that do not happen leave it alone", () => {
      expect(next(guarded, [completed("a"), completed("other")])).toEqual(over);
    });
  });
});
