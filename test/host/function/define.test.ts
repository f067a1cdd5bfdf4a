import { describe, expect, test } from "vitest";
import { defaultLimits } from "../../../runtime/limits.ts";
import { MillraceError } from "../../../host/errors.ts";
import { define, functionVersion } from "../../../host/function/define.ts";
import { canonicalJson } from "../../../host/function/digest.ts";
import type { FunctionDocument } from "../../../host/function/document.ts";
import { loadFunction } from "../../../host/function/load.ts";

const sha256 = "a".repeat(64);
const path = "file://./x.ts";

function versionOf(parts: Partial<FunctionDocument>, components: Record<string, string> = {}) {
  const document: FunctionDocument = {
    id: "f",
    triggers: [{ event: "a/b" }],
    steps: { one: { path } },
    ...parts,
  };
  const loaded = loadFunction(JSON.stringify(document), { file: "f.json" });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  return functionVersion(loaded.document, components, 5);
}

describe("a definition", () => {
  test("of the smallest document has every default", () => {
    const definition = define(versionOf({}, { one: sha256 }));
    expect(definition).toEqual({
      id: "f",
      name: "f",
      version: expect.stringMatching(/^[\da-f]{12}$/) as string,
      triggers: [{ event: "a/b" }],
      steps: new Map([
        [
          "one",
          {
            id: "one",
            name: "one",
            program: { runtime: { type: "wasm" }, sha256 },
            limits: defaultLimits,
            retry: { retries: 4, initialMs: 1_000, factor: 2, maxMs: 3_600_000, jitter: 0.5 },
            join: "all",
            edges: [{ from: "$trigger" }],
            ancestors: [],
          },
        ],
      ]),
      output: { kind: "step", step: "one" },
      waits: new Map(),
    });
  });

  test("has durations in milliseconds and sizes in bytes", () => {
    const { steps } = define(
      versionOf({
        steps: {
          one: {
            path,
            timeout: "1.5m",
            limits: {
              cpu: "2s",
              memory: "64MiB",
              output: "1kB",
              logs: 0,
              http: { concurrent: 3, body: "2MiB" },
            },
          },
          two: { path, join: "any", after: [{ step: "one", wait: "2h" }, { step: "$trigger" }] },
        },
      }),
    );
    expect(steps.get("one")?.limits).toEqual({
      wallMs: 90_000,
      cpuMs: 2_000,
      memoryBytes: 67_108_864,
      outputBytes: 1_000,
      logBytes: 0,
      tmpBytes: 16_777_216,
      httpConcurrent: 3,
      httpBodyBytes: 2_097_152,
    });
    expect(steps.get("two")).toMatchObject({
      join: "any",
      edges: [{ from: "one", waitMs: 7_200_000 }, { from: "$trigger" }],
    });
  });

  test("takes from the function's policy what a step's policy leaves open", () => {
    const { steps } = define(
      versionOf({
        retry: { retries: 2, backoff: { initial: "10s", jitter: 0 } },
        steps: {
          plain: { path },
          own: { path, retry: { backoff: { initial: "1s", factor: 3 } } },
          none: { path, retry: { retries: 0 } },
        },
      }),
    );
    const function_ = { retries: 2, initialMs: 10_000, factor: 2, maxMs: 3_600_000, jitter: 0 };
    expect(steps.get("plain")?.retry).toEqual(function_);
    expect(steps.get("own")?.retry).toEqual({ ...function_, initialMs: 1_000, factor: 3 });
    expect(steps.get("none")?.retry).toEqual({ ...function_, retries: 0 });
  });

  test("has its steps in topological order, the one for failures apart", () => {
    const definition = define(
      versionOf({
        steps: {
          last: { path, after: [{ step: "left" }, { step: "right" }] },
          undo: { path, name: "Undo" },
          right: { path, after: [{ step: "first" }] },
          left: { path, after: [{ step: "first" }] },
          first: { path },
        },
        onFailure: "undo",
      }),
    );
    expect([...definition.steps.keys()]).toEqual(["first", "right", "left", "last"]);
    expect(definition.steps.get("last")?.ancestors).toEqual(["first", "right", "left"]);
    expect(definition.onFailure).toMatchObject({ id: "undo", name: "Undo", edges: [] });
    expect(definition.onFailure?.ancestors).toEqual(["first", "right", "left", "last"]);
  });

  test("has expressions that evaluate", () => {
    const { triggers, steps } = define(
      versionOf({
        triggers: [{ event: "a/b", expression: "data.n > 1" }],
        steps: { one: { path }, two: { path, after: [{ step: "one", if: "output.ok && steps.one.ok" }] } },
      }),
    );
    const scope = { event: {}, data: { n: 2 }, user: undefined, ts: 1, name: "a/b" };
    expect(triggers[0]?.expression?.evaluate(scope)).toEqual({ kind: "value", value: true });
    const output = { ok: true };
    expect(steps.get("two")?.edges[0]?.if?.evaluate({ ...scope, steps: { one: output }, output })).toEqual({
      kind: "value",
      value: true,
    });
  });

  test("passes the options of a runtime on", () => {
    const { steps } = define(
      versionOf({ steps: { one: { runtime: { type: "docker", image: "x", command: ["a"] } } } }),
    );
    expect(steps.get("one")?.program).toEqual({ runtime: { type: "docker", image: "x", command: ["a"] } });
  });

  test.each<[string, Partial<FunctionDocument>]>([
    ["a cycle", { steps: { a: { path, after: [{ step: "a" }] } } }],
    ["a bad expression", { triggers: [{ event: "a", expression: "(" }] }],
    ["a bad duration", { steps: { a: { path, timeout: "x" } } }],
    ["a bad size", { steps: { a: { path, limits: { memory: "x" } } } }],
    ["no such step for failures", { onFailure: "toString" }],
  ])("of a stored version with %s is refused with a code", (_name, parts) => {
    const document: FunctionDocument = {
      id: "f",
      triggers: [{ event: "a/b" }],
      steps: { one: { path } },
      ...parts,
    };
    expect(() => define(functionVersion(document, {}, 1))).toThrow(
      expect.objectContaining({ constructor: MillraceError, code: "ERR_FUNCTION_SCHEMA" }) as Error,
    );
  });
});

describe("a Lambda step", () => {
  const programOf = (id: string, step: object, pinned = {}) => {
    const document = { id, triggers: [{ event: "a" }], steps: { one: step } } as FunctionDocument;
    return define(functionVersion(document, {}, 1, pinned)).steps.get("one")?.program;
  };

  test("has the function that its document names, else one by the ids of function and step", () => {
    const named = { type: "lambda", function: "charge", fatal: ["X"] };
    expect(programOf("shop", { runtime: named })).toEqual({ runtime: named });
    const runtime = { type: "lambda" };
    expect(programOf("shop", { path, runtime })).toEqual({ runtime: { ...runtime, function: "shop-one" } });
  });

  test("has no name that is longer than AWS takes, and other steps another", () => {
    const names = ["a", "b"].map((end) => {
      const name = programOf("f".repeat(80) + end, { path, runtime: { type: "lambda" } })?.runtime[
        "function"
      ];
      expect(name).toMatch(/^f{51}-[0-9a-f]{12}$/);
      return name;
    });
    expect(names[0]).not.toBe(names[1]);
  });

  test("runs what push has pinned, whatever its document says", () => {
    const runtime = { type: "lambda", function: "charge", qualifier: "live", region: "eu-central-1" };
    const pinned = { one: { function: "arn", qualifier: "7" } };
    expect(programOf("shop", { path, runtime }, pinned)?.runtime).toEqual({ ...runtime, ...pinned.one });
  });
});

describe("a version's digest", () => {
  const document: FunctionDocument = {
    id: "f",
    triggers: [{ event: "a" }],
    steps: { a: { path, name: "A" }, b: { path } },
  };

  test("is the same whatever the order of keys, and whenever it was made", () => {
    const other: FunctionDocument = {
      steps: { b: { path }, a: { name: "A", path } },
      triggers: [{ event: "a" }],
      id: "f",
    };
    const one = functionVersion(document, { a: sha256, b: sha256 }, 1);
    const two = functionVersion(other, { b: sha256, a: sha256 }, 2);
    expect(one.version).toMatch(/^[\da-f]{12}$/);
    expect(two.version).toBe(one.version);
    expect(two).toMatchObject({ functionId: "f", createdAt: 2, components: { a: sha256, b: sha256 } });
  });

  test("differs for other documents, other programs, and other orders in lists", () => {
    const triggers = [{ event: "a" }, { event: "b" }];
    const versions = [
      functionVersion(document, {}, 1),
      functionVersion(document, { a: sha256 }, 1),
      functionVersion(document, { b: sha256 }, 1),
      functionVersion(document, {}, 1, { a: { qualifier: "1" } }),
      functionVersion(document, {}, 1, { a: { qualifier: "2" } }),
      functionVersion({ ...document, id: "g" }, {}, 1),
      functionVersion({ ...document, triggers }, {}, 1),
      functionVersion({ ...document, triggers: triggers.toReversed() }, {}, 1),
    ].map(({ version }) => version);
    expect(new Set(versions).size).toBe(versions.length);
  });

  test("stands on text that is fixed by RFC 8785's rules for keys and strings", () => {
    expect(canonicalJson({ b: [1, { d: null, c: "ö\n" }], a: 1e21, "€": true, "\r": false })).toBe(
      '{"\\r":false,"a":1e+21,"b":[1,{"c":"ö\\n","d":null}],"€":true}',
    );
  });
});
