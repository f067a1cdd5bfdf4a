import { describe, expect, test } from "vitest";
import { define, functionVersion } from "../../../host/function/define.ts";
import { loadFunction } from "../../../host/function/load.ts";
import { documentWith, pairsOf } from "./problems.ts";

const path = "file://./x.ts";

function document(after: readonly object[], more: object = {}): string {
  return documentWith({ steps: { a: { path }, b: { path, after, ...more } } });
}

describe("an edge from a failure", () => {
  test("says so of itself, and of the step that it comes from", () => {
    const loaded = loadFunction(
      document([{ step: "a", on: "failure", if: "failure.code == 'ERR_STEP_FATAL'" }]),
      {
        file: "f.json",
      },
    );
    if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
    const { steps } = define(functionVersion(loaded.document, {}, 0));
    expect(steps.get("a")).toMatchObject({ caught: true });
    expect(steps.get("b")?.edges).toMatchObject([{ from: "a", onFailure: true }]);
    expect(steps.get("b")).not.toHaveProperty("caught");
  });

  test.each<[string, string, string[]]>([
    ["the beginning", document([{ step: "$trigger", on: "failure" }]), ["FAILURE_EDGE /steps/b/after/0/on"]],
    [
      "an event",
      document([{ step: "a", on: "failure", async: { event: "c", ttl: "1h" } }]),
      ["FAILURE_EDGE /steps/b/after/0/async"],
    ],
    ["anything else", document([{ step: "a", on: "end" }]), ["SCHEMA /steps/b/after/0/on"]],
    [
      "an output that is not there",
      document([{ step: "a", on: "failure", if: "output.x" }]),
      ["EXPRESSION /steps/b/after/0/if"],
    ],
    [
      "a failure where none is",
      document([{ step: "a", if: "failure.code == 'x'" }]),
      ["EXPRESSION /steps/b/after/0/if"],
    ],
    [
      "that and that its step completes",
      document([{ step: "a" }, { step: "a", on: "failure" }]),
      ["STEP_UNREACHABLE /steps/b/after/1/on"],
    ],
  ])("with %s is refused at its place", (_, text, expected) => {
    expect(pairsOf(text)).toEqual(expected);
  });

  test("may lead to the same step as the one from its success, with join any", () => {
    expect(pairsOf(document([{ step: "a" }, { step: "a", on: "failure" }], { join: "any" }))).toEqual([]);
  });
});
