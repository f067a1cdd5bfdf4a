import { describe, expect, test } from "vitest";
import { define, functionVersion } from "../../../host/function/define.ts";
import { loadFunction } from "../../../host/function/load.ts";
import { documentWith, pairsOf } from "./problems.ts";

const path = "file://./x.ts";

describe("a step that undoes another", () => {
  test("is none of the run's way: it sees what the other saw, and what that put out", () => {
    const text = documentWith({
      steps: {
        read: { path },
        charge: { path, after: [{ step: "read" }], compensate: "refund" },
        each: { path, after: [{ step: "read" }], forEach: { items: "steps.read" }, compensate: "drop" },
        refund: { path },
        drop: { path },
      },
    });
    const loaded = loadFunction(text, { file: "f.json" });
    if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
    const { steps, compensations, output } = define(functionVersion(loaded.document, {}, 0));
    expect([...steps.keys()]).toEqual(["read", "charge", "each"]);
    expect(output).toEqual({ kind: "steps", steps: ["charge", "each"] });
    expect(compensations?.get("charge")).toMatchObject({
      id: "refund",
      edges: [],
      ancestors: ["read", "charge"],
    });
    expect(compensations?.get("each")).toMatchObject({ id: "drop", ancestors: ["read"] });
  });

  test.each<[string, object, string[]]>([
    ["not there", { a: { path, compensate: "b" } }, ["STEP_UNKNOWN /steps/a/compensate"]],
    ["itself", { a: { path, compensate: "a" } }, ["COMPENSATE /steps/a/compensate"]],
    [
      "behind a step",
      { a: { path, compensate: "b" }, b: { path, after: [{ step: "a" }] } },
      ["COMPENSATE /steps/b/after/0"],
    ],
    [
      "before a step",
      { a: { path, compensate: "b" }, b: { path }, c: { path, after: [{ step: "b" }] } },
      ["COMPENSATE /steps/c/after/0/step"],
    ],
    [
      "for two steps",
      { a: { path, compensate: "c" }, b: { path, compensate: "c" }, c: { path } },
      ["COMPENSATE /steps/b/compensate"],
    ],
    [
      "without a program, of several items",
      { a: { path, forEach: { items: "[1]" }, compensate: "b" }, b: { invoke: { function: "g" } } },
      ["COMPENSATE /steps/a/compensate"],
    ],
    [
      "undone itself",
      { a: { path, compensate: "b" }, b: { path, compensate: "c" }, c: { path } },
      ["COMPENSATE /steps/b/compensate"],
    ],
    [
      "with a list of its own",
      { a: { path, compensate: "b" }, b: { path, forEach: { items: "[1]" } } },
      ["COMPENSATE /steps/b/forEach"],
    ],
  ])("that is %s is refused at its place", (_, steps, expected) => {
    expect(pairsOf(documentWith({ steps }))).toEqual(expected);
  });

  test("that handles the failure of the run is refused too, and so is undoing that", () => {
    const steps = { a: { path, compensate: "b" }, b: { path }, c: { path } };
    expect(pairsOf(documentWith({ steps, onFailure: "b" }))).toEqual(["COMPENSATE /steps/a/compensate"]);
    expect(pairsOf(documentWith({ steps, onFailure: "a" }))).toEqual(["COMPENSATE /steps/a/compensate"]);
  });
});
