import { expect, test } from "vitest";
import { nearest } from "../../host/nearest.ts";

test.each([
  ["expresion", ["event", "expression"], "expression"],
  ["ftech", ["fetch", "send"], "fetch"],
  ["sned", ["fetch", "send"], "send"],
  ["step1", ["step-1", "step-2"], "step-1"],
  ["AFTER", ["after"], "after"],
  ["Id", ["id"], "id"],
  ["usr", ["user", "data"], "user"],
  ["x", ["y", "z"], undefined],
  ["ab", ["ac"], undefined],
  ["payload", ["data", "user"], undefined],
  ["", ["a"], undefined],
  ["anything", [], undefined],
  ["x".repeat(10_000), ["x".repeat(9_999)], undefined],
])("%s among %j is taken for %s", (name, candidates, expected) => {
  expect(nearest(name, candidates)).toBe(expected);
});
