import { expect, test } from "vitest";
import { documentWith, pairsOf } from "./problems.ts";

const path = "file://./x.ts";
const steps = { a: { path }, mend: { path } };

test.each([
  ["a step that is not there", "b", ["STEP_UNKNOWN /output"]],
  ["names that are not in scope", "steps.a + async.id", ["EXPRESSION /output"]],
  ["a step in an expression that is not there", "[steps.a, steps.b]", ["STEP_UNKNOWN /output"]],
  ["what the step that handles failures puts out", "[steps.a, steps.mend]", ["EXPRESSION /output"]],
  ["the step that handles failures", "mend", ["ON_FAILURE /output"]],
  ["an expression", "{'a': steps.a, 'n': data.n + 1}", []],
  ["a step", "a", []],
  ["a name that is in scope", "data", []],
])("the output of a run may be %s: %s", (_, output, problems) => {
  expect(pairsOf(documentWith({ steps, onFailure: "mend", output }))).toEqual(problems);
});
