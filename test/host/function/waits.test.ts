import { describe, expect, test } from "vitest";
import { define, functionVersion } from "../../../host/function/define.ts";
import type { EdgeDocument, FunctionDocument } from "../../../host/function/document.ts";
import {
  asyncNames,
  compileExpression,
  type MatchIndex,
  type Scope,
} from "../../../host/function/expression.ts";
import { loadFunction } from "../../../host/function/load.ts";
import { scanningWaits } from "../../../host/function/scanning-waits.ts";

const path = "file://./x.ts";

function documentOf(steps: Record<string, { after?: EdgeDocument[]; join?: "any" }>): FunctionDocument {
  const all = Object.fromEntries(Object.entries(steps).map(([id, step]) => [id, { path, ...step }]));
  const text = JSON.stringify({ id: "f", triggers: [{ event: "a/b" }], steps: all });
  const loaded = loadFunction(text, { file: "f.json" });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  return loaded.document;
}

const paid = { event: "paid", ttl: "1h", match: "async.data.id == event.data.id" };

describe("the waits of a definition", () => {
  test("are shared by edges from one step whose event, time and match are the same", () => {
    const { waits, steps } = define(
      functionVersion(
        documentOf({
          a: {},
          b: { after: [{ step: "a", async: paid }] },
          c: { after: [{ step: "a", async: { ...paid, ttl: "60m", onTimeout: true } }] },
          d: { after: [{ step: "a", async: { ...paid, ttl: "2h" } }] },
          e: { after: [{ step: "$trigger", async: paid, if: "async.data.ok" }] },
        }),
        {},
        0,
      ),
    );
    expect([...waits.values()]).toMatchObject([
      {
        id: "w1",
        from: "a",
        event: "paid",
        ttlMs: 3_600_000,
        leadsTo: ["b", "c"],
        visible: ["a"],
        before: [],
      },
      { id: "w2", from: "a", ttlMs: 7_200_000, leadsTo: ["d"] },
      { id: "w3", from: "$trigger", leadsTo: ["e"], visible: [], before: [] },
    ]);
    expect(steps.get("b")?.edges).toEqual([{ from: "a", wait: "w1", waits: ["w1"] }]);
    expect(steps.get("c")?.edges).toEqual([{ from: "a", wait: "w1", onTimeout: true }]);
    expect(steps.get("e")?.edges).toMatchObject([{ wait: "w3", ifAsync: true }]);
  });

  test("know the waits on the ways to them, and steps those on the ways to them", () => {
    const { waits, steps } = define(
      functionVersion(
        documentOf({
          a: { after: [{ step: "$trigger", async: paid }] },
          b: { after: [{ step: "a" }] },
          c: { after: [{ step: "b", async: paid, if: "async.data.ok" }] },
          d: { after: [{ step: "c", if: "async.data.ok" }] },
        }),
        {},
        0,
      ),
    );
    expect(waits.get("w2")).toMatchObject({ from: "b", before: ["w1"], visible: ["a", "b"] });
    expect(steps.get("b")?.waits).toEqual(["w1"]);
    expect(steps.get("d")?.edges[0]?.waits).toEqual(["w1", "w2"]);
    expect(steps.get("d")?.edges[0]?.ifAsync).toBeUndefined();
  });

  test("without an index are named, for doctor", () => {
    const document = documentOf({
      a: { after: [{ step: "$trigger", async: paid }] },
      b: { after: [{ step: "$trigger", async: { ...paid, match: "async.data.sum > event.data.sum" } }] },
      c: { after: [{ step: "a", async: { event: "any", ttl: "1h" } }] },
      // Its link names the run.
      d: { after: [{ step: "a", async: { link: "approval", ttl: "1h" } }] },
    });
    const cancel = [
      { event: "stopped", if: "async.data.id == event.data.id" },
      { event: "halted", if: "async.data.n > event.data.n" },
    ];
    expect(scanningWaits({ ...document, cancel })).toEqual([
      "f tries each paid against every run that waits after $trigger",
      "f tries each any against every run that waits after a",
      "f tries each halted against every run that it may cancel",
    ]);
  });
});

describe("the index of a match", () => {
  const event = { id: "e", name: "a", data: { id: 7, list: [1], text: "x", map: { a: 1 } }, ts: 1 };
  const scope: Scope = {
    event,
    data: event.data,
    user: { id: "u" },
    ts: 1,
    name: "a",
    steps: { a: { n: 2 } },
    output: undefined,
  };
  const indexOf = (source: string): MatchIndex | undefined => {
    const compiled = compileExpression(source, { names: asyncNames });
    if (!compiled.ok) throw new Error(compiled.message);
    return compiled.index;
  };

  test.each([
    ["async.data.id == event.data.id", ["data", "id"], 7],
    ["event.data.id == async.data.id", ["data", "id"], 7],
    ['async.data["the id"].x == data.text', ["data", "the id", "x"], "x"],
    ["async.data.sum > 5 && async.user.id == user.id", ["user", "id"], "u"],
    ["(async.name == 'b' && true) && async.data.id == 1", ["name"], "b"],
    ["async.data.n == steps.a.n + 1", ["data", "n"], 3],
    ["async.data.n == 5", ["data", "n"], 5],
    ["async.data.ok == true", ["data", "ok"], true],
    ["async.data.gone == null", ["data", "gone"], null],
    ["async.data.id == (data.id > 5 ? 'big' : 'small')", ["data", "id"], "big"],
  ])("%s", (source, path, value) => {
    const index = indexOf(source);
    expect(index?.path).toEqual(path);
    expect(index?.value(scope)).toEqual({ kind: "value", value });
  });

  test.each([
    "async.data.id != event.data.id",
    "async.data.id == event.data.id || async.data.x == 1",
    "!(async.data.id == event.data.id)",
    "async.data.a == async.data.b",
    "async == event",
    "event.data.id == 7",
    "has(async.data.id) == true",
    "async.data.list[0] == data.id",
    "async.data.list.exists(x, x == data.id)",
    "async.data.id == [async.data.id][0]",
  ])("%s has none", (source) => {
    expect(indexOf(source)).toBeUndefined();
  });

  test("says where a match can't be true, and where its value can't be looked up", () => {
    expect(indexOf("async.data.id == event.data.gone")?.value(scope)).toEqual({ kind: "never" });
    expect(indexOf("async.data.id == event.data.map")?.value(scope)).toEqual({ kind: "other" });
    expect(indexOf("async.data.id == 5u")?.value(scope)).toEqual({ kind: "other" });
  });
});

describe("a document whose waits make no sense", () => {
  test.each([
    [
      "waiting for an event",
      {
        steps: {
          a: { path },
          b: {
            path,
            after: [
              {
                step: "a",
                if: "async.data.ok",
                async: { event: "b", ttl: "0s", match: "asnc.data.id == 1" },
              },
              { step: "a", if: "async.data.ok", async: { event: "c", ttl: "1h", onTimeout: true } },
              { step: "$trigger", async: { event: "d", ttl: "1h", match: "async.data.id == output.id" } },
              { step: "$trigger", async: { event: "e", ttl: "1h", match: "async.data.id == steps.a.id" } },
              { step: "a", async: { event: "f", ttl: "1h", match: "async.data.id == steps.b.id" } },
            ],
          },
        },
      },
      [
        "DURATION /steps/b/after/0/async/ttl",
        "EXPRESSION /steps/b/after/0/async/match",
        "EXPRESSION /steps/b/after/1/if",
        "EXPRESSION /steps/b/after/2/async/match",
        "EXPRESSION /steps/b/after/3/async/match",
        "EXPRESSION /steps/b/after/4/async/match",
      ],
    ],
    [
      "both ends of one wait at once",
      {
        steps: {
          a: {
            path,
            after: [
              { step: "$trigger", async: { event: "b", ttl: "1h" } },
              { step: "$trigger", async: { event: "b", ttl: "1h", onTimeout: true } },
            ],
          },
        },
      },
      ["STEP_UNREACHABLE /steps/a/after/1/async"],
    ],
  ])("%s: every problem at once", (_name, document, pairs) => {
    const text = JSON.stringify({ id: "f", triggers: [{ event: "a/b" }], ...document });
    const loaded = loadFunction(text, { file: "f.json" });
    const found = loaded.ok ? [] : loaded.problems;
    expect(
      found.map(({ code, pointer }) => `${code.replace("ERR_FUNCTION_", "")} ${pointer}`).toSorted(),
    ).toEqual(pairs);
  });
});
