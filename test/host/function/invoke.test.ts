import { expect, test } from "vitest";
import { define, functionVersion } from "../../../host/function/define.ts";
import type { StepDocument } from "../../../host/function/document.ts";
import { documentWith, pairsOf } from "./problems.ts";

const path = "file://./x.ts";
const steps = (call: object) => ({ a: { path }, call: { after: [{ step: "a" }], ...call } });

test.each<[string, object, string[]]>([
  ["a function", { invoke: { function: "g" } }, []],
  ["data by one expression", { invoke: { function: "g", data: "output" } }, []],
  [
    "data with expressions",
    { invoke: { function: "g", data: { a: ["steps.a", 1], b: { c: "data.x + 1" } } } },
    [],
  ],
  ["a program beside it", { path, invoke: { function: "g" } }, ["INVOKE /steps/call/path"]],
  [
    "what only a program has",
    {
      invoke: { function: "g" },
      timeout: "1s",
      capabilities: {},
      runtime: { type: "http", url: "https://a.example" },
    },
    ["INVOKE /steps/call/capabilities", "INVOKE /steps/call/runtime", "INVOKE /steps/call/timeout"],
  ],
  [
    "names that are not there",
    { invoke: { function: "g", data: { a: "nothing", b: "steps.b" } } },
    ["EXPRESSION /steps/call/invoke/data/a", "STEP_UNKNOWN /steps/call/invoke/data/b"],
  ],
  [
    "an event that nobody waits for",
    { invoke: { function: "g", data: "async.data" } },
    ["EXPRESSION /steps/call/invoke/data"],
  ],
  [
    "a timeout of none",
    { invoke: { function: "g", timeout: "0s" } },
    ["DURATION /steps/call/invoke/timeout"],
  ],
  ["no function", { invoke: {} }, ["SCHEMA /steps/call/invoke"]],
])("a step may invoke: %s", (_, call, problems) => {
  expect(pairsOf(documentWith({ steps: steps(call) }))).toEqual(problems);
});

test("a step that invokes is retried by its own policy alone", () => {
  const retriesOf = (call: StepDocument): number | undefined => {
    const document = { id: "f", triggers: [{ event: "a" }], steps: steps(call), retry: { retries: 9 } };
    return define(functionVersion(document, {}, 0)).steps.get("call")?.retry.retries;
  };
  expect(retriesOf({ invoke: { function: "g" } })).toBe(0);
  expect(retriesOf({ invoke: { function: "g" }, retry: { retries: 2 } })).toBe(2);
  expect(retriesOf({ path })).toBe(9);
});
