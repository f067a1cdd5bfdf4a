import { expect, test } from "vitest";
import type { Json } from "../../../runtime/json.ts";
import type { HistoryEntry } from "../../../host/run/history.ts";
import { outputOfRun } from "../../../host/run/output.ts";
import { foldHistory } from "../../../host/run/run-view.ts";
import { transition } from "../../../host/run/transition.ts";
import { viewRun } from "../../../host/run/view.ts";
import { define, functionVersion } from "../../../host/function/define.ts";
import type { FunctionDocument } from "../../../host/function/document.ts";

const path = "file://./s.ts";
const event = { id: "e", name: "a/b", data: { n: 7 }, ts: 1 };
const started: HistoryEntry = { type: "run.started", at: 1, event };
const fork: FunctionDocument["steps"] = {
  first: { path },
  yes: { path, after: [{ step: "first", if: "output.flag" }] },
  no: { path, after: [{ step: "first", if: "!output.flag" }] },
};
const chain: FunctionDocument["steps"] = { first: { path }, last: { path, after: [{ step: "first" }] } };

function completed(step: string, output: Json): HistoryEntry {
  return { type: "step.completed", step, attempt: 1, startedAt: 1, at: 2, output };
}

/** What a run comes to, by its view and as people see it: the two must agree. */
function outputOf(
  document: Pick<FunctionDocument, "steps"> & Partial<FunctionDocument>,
  history: readonly HistoryEntry[],
  onError?: (source: string) => void,
): Json | undefined {
  const whole = { id: "f", triggers: [{ event: "a/b" }], ...document };
  const view = foldHistory([started, ...history]);
  const moment = { now: 3, underWay: new Set<string>(), ...(onError === undefined ? {} : { onError }) };
  const { decided } = transition(define(functionVersion(whole, {}, 0)), view, moment);
  const all = [started, ...history, ...decided];
  expect(decided.at(-1)?.type).toBe("run.completed");
  const output = outputOfRun(foldHistory(all));
  const run = {
    id: "r",
    functionId: "f",
    functionVersion: "v",
    eventId: "e",
    eventName: "a/b",
    createdAt: 1,
  };
  const seen = viewRun(whole, { ...run, status: "completed", revision: 1, finishedAt: 3, history: all });
  expect(seen.output).toEqual(output);
  return output;
}

test("the output of a run is that of its last step, and is not stored twice", () => {
  const history = [completed("first", 1), completed("last", { ok: true })];
  expect(outputOf({ steps: chain }, history)).toEqual({ ok: true });
  expect(outputOf({ steps: chain, output: "first" }, history)).toBe(1);
});

test("several last steps give an object, without those that were skipped", () => {
  expect(outputOf({ steps: fork }, [completed("first", { flag: true }), completed("yes", "y")])).toEqual({
    yes: "y",
  });
  expect(
    outputOf({ steps: fork, output: "no" }, [completed("first", { flag: true }), completed("yes", "y")]),
  ).toBe(null);
});

test("a step that handles failures has no part in it", () => {
  const steps = { ...chain, mend: { path } };
  expect(outputOf({ steps, onFailure: "mend" }, [completed("first", 1), completed("last", 2)])).toBe(2);
});

test("an expression makes it of the event and of all steps", () => {
  const output = "{'first': steps.first, 'n': data.n * 2}";
  expect(outputOf({ steps: chain, output }, [completed("first", [1]), completed("last", 2)])).toEqual({
    first: [1],
    n: 14,
  });
});

test("an expression that names what is not there gives null; one of the wrong type too, and is told of", () => {
  const errors: string[] = [];
  const history = [completed("first", "text"), completed("last", 2)];
  const told = (source: string): void => void errors.push(source);
  expect(
    outputOf(
      { steps: chain, output: "steps.first.id" },
      [completed("first", {}), completed("last", 2)],
      told,
    ),
  ).toBe(null);
  expect(errors).toEqual([]);
  expect(outputOf({ steps: chain, output: "steps.first - 1" }, history, told)).toBe(null);
  expect(errors).toEqual(["steps.first - 1"]);
});

test("a run that goes on once more has none until it has completed again", () => {
  const done = [started, completed("first", 1), completed("last", 2)];
  const ended: HistoryEntry = { type: "run.completed", at: 3, outputOf: "last" };
  const retried: HistoryEntry = { type: "run.retried", at: 4, steps: ["last"], waits: [] };
  expect(outputOfRun(foldHistory([...done, ended]))).toBe(2);
  expect(outputOfRun(foldHistory([...done, ended, retried]))).toBe(undefined);
});
