import { describe, expect, test } from "vitest";
import { hostErrors } from "../../../host/errors.ts";
import { documentWith, pairsOf, problemsOf } from "./problems.ts";

const path = "file://./x.ts";

describe("a document that makes no sense: every problem at once", () => {
  test.each<[string, object | string, string[]]>([
    [
      "wrong types everywhere",
      { id: 1, name: 2, triggers: {}, steps: [], onFailure: true, retry: "3" },
      [
        "SCHEMA /id",
        "SCHEMA /name",
        "SCHEMA /onFailure",
        "SCHEMA /retry",
        "SCHEMA /steps",
        "SCHEMA /triggers",
      ],
    ],
    [
      "wrong types further in",
      {
        triggers: [1, { event: 2, expression: 3 }],
        steps: { a: 1, b: { path: 2, after: 3, runtime: "wasm" } },
      },
      [
        "SCHEMA /steps/a",
        "SCHEMA /steps/b/after",
        "SCHEMA /steps/b/path",
        "SCHEMA /steps/b/runtime",
        "SCHEMA /triggers/0",
        "SCHEMA /triggers/1/event",
        "SCHEMA /triggers/1/expression",
      ],
    ],
    [
      "capabilities that are none",
      {
        steps: {
          a: { path, capabilities: { env: { "1a": "x", B: 1, C: "a\u0000b" }, seed: "", files: true } },
          b: { runtime: { type: "lambda", function: "b" }, capabilities: { env: {} } },
        },
      },
      [
        "CAPABILITY /steps/a/capabilities/env/1a",
        "CAPABILITY /steps/a/capabilities/env/C",
        "CAPABILITY /steps/b/capabilities/env",
        "SCHEMA /steps/a/capabilities/env/B",
        "SCHEMA /steps/a/capabilities/files",
        "SCHEMA /steps/a/capabilities/seed",
      ],
    ],
    [
      "how to build what is not built so",
      {
        steps: {
          a: { path, build: "make" },
          b: { path: "file://./b.wasm", build: "make", runtime: { type: "wasm", language: "c" } },
          c: { build: "make", runtime: { type: "docker", image: "a", language: "go" } },
          d: { path, build: "", runtime: { type: "wasm", language: "cobol" } },
        },
      },
      [
        "LANGUAGE /steps/a/path",
        "LANGUAGE /steps/b/runtime/language",
        "LANGUAGE /steps/c/build",
        "LANGUAGE /steps/c/runtime/language",
        "LANGUAGE /steps/d/path",
        "LANGUAGE /steps/d/runtime/language",
        "SCHEMA /steps/d/build",
        "SCHEMA /steps/d/runtime/language",
      ],
    ],
    ["no steps, no triggers", { triggers: [], steps: {} }, ["SCHEMA /steps", "SCHEMA /triggers"]],
    [
      "unknown properties at every level",
      {
        extra: 1,
        triggers: [{ event: "a", extra: 1 }],
        steps: {
          one: { path, extra: 1, retry: { extra: 1, backoff: { extra: 1 } }, limits: { extra: 1 } },
          two: { path, after: [{ step: "one", extra: 1 }] },
        },
      },
      [
        "SCHEMA /extra",
        "SCHEMA /steps/one/extra",
        "SCHEMA /steps/one/limits/extra",
        "SCHEMA /steps/one/retry/backoff/extra",
        "SCHEMA /steps/one/retry/extra",
        "SCHEMA /steps/two/after/0/extra",
        "SCHEMA /triggers/0/extra",
      ],
    ],
    [
      "names that are none",
      {
        id: "a b",
        triggers: [{ event: "a b" }, { event: "a/*" }, { event: "a.>" }, { event: "" }],
        steps: { "a.b": { path }, $trigger: { path }, "": { path } },
      },
      [
        "SCHEMA /id",
        "SCHEMA /steps/",
        "SCHEMA /steps/$trigger",
        "SCHEMA /steps/a.b",
        "SCHEMA /triggers/0/event",
        "SCHEMA /triggers/1/event",
        "SCHEMA /triggers/2/event",
        "SCHEMA /triggers/3/event",
      ],
    ],
    [
      "ids that every object has",
      { steps: { constructor: { path }, toString: { path }, hasOwnProperty: { path } } },
      [
        "FORBIDDEN_KEY /steps/constructor",
        "FORBIDDEN_KEY /steps/hasOwnProperty",
        "FORBIDDEN_KEY /steps/toString",
      ],
    ],
    [
      "__proto__ wherever it is",
      '{"id":"f","__proto__":1,"triggers":[{"event":"a"}],"steps":{"__proto__":{"path":"file://./x"},"a":{"path":"file://./x","runtime":{"type":"wasm","x":[{"__proto__":1}]}}}}',
      [
        "FORBIDDEN_KEY /__proto__",
        "FORBIDDEN_KEY /steps/__proto__",
        "FORBIDDEN_KEY /steps/a/runtime/x/0/__proto__",
      ],
    ],
    [
      "keys twice",
      '{"id":"f","id":"g","triggers":[{"event":"a","event":"b"}],"steps":{"a":{"path":"file://./x"},"a":{"path":"file://./y"}}}',
      ["DUPLICATE /id", "DUPLICATE /steps/a", "DUPLICATE /triggers/0/event"],
    ],
    [
      "what UTF-8 and a double can't carry",
      String.raw`{"id":"f","name":"\ud800","triggers":[{"event":"a"}],"steps":{"a":{"path":"file://./x","runtime":{"type":"wasm","x":1e400,"\udc00":1}}}}`,
      ["JSON /name", "JSON /steps/a/runtime/x", "JSON /steps/a/runtime/\uDC00"],
    ],
    [
      "ids that differ from their keys",
      { steps: { a: { id: "b", path }, b: { id: "b", path } } },
      ["STEP_ID /steps/a/id"],
    ],
    [
      "a wasm step without a path, named or not",
      {
        steps: {
          a: {},
          b: { runtime: { type: "wasm" } },
          c: { runtime: { type: "http", url: "https://a.example" } },
          d: { runtime: {} },
        },
      },
      ["SCHEMA /steps/a", "SCHEMA /steps/b", "SCHEMA /steps/d/runtime"],
    ],
    [
      "paths",
      {
        steps: {
          a: { path: "file://../../x" },
          b: { path: "file:///x" },
          c: { path: "x.ts" },
          d: { path: "" },
        },
      },
      [
        "PATH /steps/c/path",
        "PATH /steps/d/path",
        "PATH_OUTSIDE /steps/a/path",
        "PATH_OUTSIDE /steps/b/path",
      ],
    ],
    [
      "durations and sizes that are none",
      {
        steps: {
          a: { path, timeout: "soon", limits: { cpu: "much", memory: "64 megs", output: -1, logs: 1.5 } },
          b: { path, after: [{ step: "a", wait: "1 y" }] },
        },
        retry: { retries: -1, backoff: { initial: "x", factor: 0, max: "", jitter: 2 } },
      },
      [
        "DURATION /retry/backoff/initial",
        "DURATION /retry/backoff/max",
        "DURATION /steps/a/limits/cpu",
        "DURATION /steps/a/timeout",
        "DURATION /steps/b/after/0/wait",
        "SCHEMA /retry/backoff/factor",
        "SCHEMA /retry/backoff/jitter",
        "SCHEMA /retry/retries",
        "SCHEMA /steps/a/limits/logs",
        "SIZE /steps/a/limits/memory",
        "SIZE /steps/a/limits/output",
      ],
    ],
    [
      "durations and sizes out of range",
      {
        steps: {
          a: { path, timeout: "25h", limits: { cpu: "25h", memory: "1KiB", output: "65MiB", logs: "65MiB" } },
          b: {
            path,
            timeout: "0s",
            after: [{ step: "a", wait: "367d" }],
            retry: { backoff: { max: "400d" } },
          },
        },
      },
      [
        "DURATION /steps/a/limits/cpu",
        "DURATION /steps/a/timeout",
        "DURATION /steps/b/after/0/wait",
        "DURATION /steps/b/retry/backoff/max",
        "DURATION /steps/b/timeout",
        "SIZE /steps/a/limits/logs",
        "SIZE /steps/a/limits/memory",
        "SIZE /steps/a/limits/output",
      ],
    ],
    [
      "the same edge and the same trigger twice",
      {
        triggers: [{ event: "a" }, { event: "b" }, { event: "a" }, { event: "a", expression: "true" }],
        steps: {
          a: { path },
          b: { path, after: [{ step: "a", wait: "1s" }, { step: "a" }, { wait: "1s", step: "a" }] },
        },
      },
      ["DUPLICATE /steps/b/after/2", "DUPLICATE /triggers/2"],
    ],
    [
      "unknown steps",
      {
        steps: {
          a: { path, after: [{ step: "nope" }] },
          b: { path, after: [{ step: "a" }, { step: "trigger" }] },
        },
        onFailure: "nobody",
      },
      ["STEP_UNKNOWN /onFailure", "STEP_UNKNOWN /steps/a/after/0/step", "STEP_UNKNOWN /steps/b/after/1/step"],
    ],
    [
      "a step after itself",
      { steps: { a: { path, after: [{ step: "a" }] } } },
      ["CYCLE /steps/a/after/0/step"],
    ],
    [
      "a cycle, and what lies behind it",
      {
        steps: {
          ok: { path },
          a: { path, after: [{ step: "b" }] },
          b: { path, after: [{ step: "a" }] },
          c: { path, after: [{ step: "b" }] },
          d: { path, after: [{ step: "c" }] },
          e: { path, after: [{ step: "d" }, { step: "ok" }] },
        },
      },
      ["CYCLE /steps/a/after/0/step", "STEP_UNREACHABLE /steps/c", "STEP_UNREACHABLE /steps/d"],
    ],
    [
      "a cycle that the trigger reaches",
      {
        steps: {
          a: { path, join: "any", after: [{ step: "$trigger" }, { step: "b" }] },
          b: { path, after: [{ step: "a" }] },
        },
      },
      ["CYCLE /steps/a/after/1/step"],
    ],
    [
      "two cycles",
      {
        steps: {
          a: { path, after: [{ step: "b" }, { step: "c" }] },
          b: { path, after: [{ step: "a" }] },
          c: { path, after: [{ step: "a" }] },
        },
      },
      ["CYCLE /steps/a/after/0/step", "CYCLE /steps/a/after/1/step"],
    ],
    [
      "edges to and from the step for failures",
      {
        steps: { a: { path }, b: { path, after: [{ step: "a" }] }, c: { path, after: [{ step: "b" }] } },
        onFailure: "b",
      },
      ["ON_FAILURE /steps/b/after/0", "ON_FAILURE /steps/c/after/0/step"],
    ],
    ["only a step for failures", { onFailure: "one" }, ["ON_FAILURE /onFailure"]],
    [
      "a step for failures after itself",
      { steps: { a: { path }, b: { path, after: [{ step: "b" }] } }, onFailure: "b" },
      ["ON_FAILURE /steps/b/after/0"],
    ],
    [
      "bad expressions, several in one",
      {
        triggers: [
          { event: "a", expression: "usr.id == evnt.id" },
          { event: "b", expression: "" },
          { event: "c", expression: "data.x >" },
          { event: "d", expression: "output.x" },
        ],
        steps: {
          a: { path, after: [{ step: "$trigger", if: "output.x" }] },
          b: { path, after: [{ step: "a", if: "data.x.matches('(')" }] },
        },
      },
      [
        "EXPRESSION /steps/a/after/0/if",
        "EXPRESSION /steps/b/after/0/if",
        "EXPRESSION /triggers/0/expression",
        "EXPRESSION /triggers/0/expression",
        "EXPRESSION /triggers/1/expression",
        "EXPRESSION /triggers/2/expression",
        "EXPRESSION /triggers/3/expression",
        "SCHEMA /triggers/1/expression",
      ],
    ],
    [
      "expressions over steps that are not there, or not before",
      {
        steps: {
          a: { path },
          "b-1": { path, after: [{ step: "a", if: "steps.c.x" }] },
          c: {
            path,
            after: [
              { step: "b-1", if: "steps.nope.x" },
              { step: "a", if: "steps.b-1.x == 1" },
            ],
          },
        },
      },
      [
        "EXPRESSION /steps/b-1/after/0/if",
        "STEP_UNKNOWN /steps/c/after/0/if",
        "STEP_UNKNOWN /steps/c/after/1/if",
      ],
    ],
  ])("%s", (_name, document, pairs) => {
    expect(pairsOf(typeof document === "string" ? document : documentWith(document))).toEqual(
      pairs.toSorted(),
    );
  });

  test("a cycle is printed as the run would go round it", () => {
    const steps = {
      a: { path, after: [{ step: "c" }] },
      b: { path, after: [{ step: "a" }] },
      c: { path, after: [{ step: "b" }] },
    };
    expect(problemsOf(documentWith({ steps })).map(({ message }) => message)).toEqual([
      "the edges form a cycle: a → b → c → a",
    ]);
  });

  test("a step id with a dash in an expression is suggested in brackets", () => {
    const steps = { "step-1": { path }, b: { path, after: [{ step: "step-1", if: "steps.step-1.ok" }] } };
    expect(problemsOf(documentWith({ steps }))[0]?.suggestion).toBe('steps["step-1"]');
  });

  test("every problem has a code of the table and a place", () => {
    const codes = new Set(Object.keys(hostErrors));
    const text = documentWith({
      steps: { a: { after: [{ step: "b" }] }, toString: { path: "x" } },
      onFailure: "c",
    });
    const problems = problemsOf(text);
    expect(problems.length).toBeGreaterThan(3);
    for (const problem of problems) {
      expect(codes).toContain(problem.code);
      expect(problem).toMatchObject({
        file: "f.json",
        line: expect.any(Number) as number,
        column: expect.any(Number) as number,
      });
    }
  });
});
