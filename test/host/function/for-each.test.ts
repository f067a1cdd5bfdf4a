import { describe, expect, test } from "vitest";
import { define, functionVersion } from "../../../host/function/define.ts";
import { loadFunction } from "../../../host/function/load.ts";
import { documentWith, pairsOf, problemsOf } from "./problems.ts";

const path = "file://./x.ts";

/** A document whose step `each` has this, after a step `read`. */
function each(forEach: unknown, more: object = {}): string {
  return documentWith({
    steps: { other: { path }, read: { path }, each: { path, after: [{ step: "read" }], forEach } },
    ...more,
  });
}

function defined(forEach: object) {
  const loaded = loadFunction(each(forEach), { file: "f.json" });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  return define(functionVersion(loaded.document, {}, 0)).steps.get("each")?.forEach;
}

describe("forEach", () => {
  test("has its defaults", () => {
    expect(defined({ items: "data.rows" })).toMatchObject({
      concurrency: 10,
      gives: "outputs",
      bears: { items: 0, share: 1 },
      sees: ["read"],
    });
  });

  test("bears a number of failures, or a share, or all", () => {
    const bears = (tolerate?: number | string) =>
      defined({ items: "[1]", onError: "continue", ...(tolerate === undefined ? {} : { tolerate }) });
    expect(bears()).toMatchObject({ gives: "results", bears: { items: Number.POSITIVE_INFINITY, share: 1 } });
    expect(bears(3)).toMatchObject({ bears: { items: 3, share: 1 } });
    expect(bears("2.5%")).toMatchObject({ bears: { share: 0.025 } });
  });

  test("keeps from its items what the list was made of", () => {
    expect(defined({ items: "steps.read.rows" })).toMatchObject({ sees: [] });
    expect(defined({ items: 'steps["read"].rows' })).toMatchObject({ sees: [] });
  });

  test.each<[string, unknown, string[]]>([
    ["no list", {}, ["SCHEMA /steps/each/forEach"]],
    ["nothing known", { items: "[1]", many: 1 }, ["SCHEMA /steps/each/forEach/many"]],
    ["no room", { items: "[1]", concurrency: 0 }, ["SCHEMA /steps/each/forEach/concurrency"]],
    ["too much room", { items: "[1]", concurrency: 1_001 }, ["SCHEMA /steps/each/forEach/concurrency"]],
    ["another policy", { items: "[1]", onError: "stop" }, ["SCHEMA /steps/each/forEach/onError"]],
    [
      "a share of more than all",
      { items: "[1]", onError: "continue", tolerate: "101%" },
      ["FOR_EACH /steps/each/forEach/tolerate"],
    ],
    ["tolerance without going on", { items: "[1]", tolerate: 1 }, ["FOR_EACH /steps/each/forEach/tolerate"]],
    ["an expression that is none", { items: "data.rows[" }, ["EXPRESSION /steps/each/forEach/items"]],
    ["a name that is not there", { items: "output.rows" }, ["EXPRESSION /steps/each/forEach/items"]],
    ["an event that is not waited for", { items: "async.data" }, ["EXPRESSION /steps/each/forEach/items"]],
    ["a step that is not before it", { items: "steps.other" }, ["EXPRESSION /steps/each/forEach/items"]],
    ["a step that is not there", { items: "steps.reed" }, ["STEP_UNKNOWN /steps/each/forEach/items"]],
  ])("with %s is refused at its place", (_, forEach, expected) => {
    expect(pairsOf(each(forEach))).toEqual(expected);
  });

  test("is not for the step that runs when the run has failed", () => {
    const text = documentWith({
      steps: { a: { path }, b: { path, forEach: { items: "[1]" } } },
      onFailure: "b",
    });
    expect(problemsOf(text)).toMatchObject([{ code: "ERR_FUNCTION_FOR_EACH", pointer: "/steps/b/forEach" }]);
  });

  test("may name the event that was waited for", () => {
    const after = [{ step: "$trigger", async: { event: "c/d", ttl: "1h" } }];
    const text = documentWith({ steps: { a: { path, after, forEach: { items: "async.data.rows" } } } });
    expect(pairsOf(text)).toEqual([]);
  });
});
