import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { hostErrors, type Problem } from "../../../host/errors.ts";
import { loadFunction } from "../../../host/function/load.ts";

const announced = new URL("../../fixtures/functions/announced.json", import.meta.url);

/** A sound document, with this in place of or beside its parts. */
function documentWith(parts: object): string {
  const sound = {
    id: "f",
    triggers: [{ event: "a/b" }],
    steps: { one: { path: "file://./one.ts" } },
  };
  return JSON.stringify({ ...sound, ...parts }, undefined, 2);
}

function problemsOf(text: string | Uint8Array): readonly Problem[] {
  const loaded = loadFunction(text, { file: "f.json" });
  return loaded.ok ? [] : loaded.problems;
}

/** "CODE /pointer" of each problem, sorted. */
function pairsOf(text: string | Uint8Array): string[] {
  return problemsOf(text)
    .map(({ code, pointer }) => `${code.replace("ERR_FUNCTION_", "")} ${pointer ?? "-"}`)
    .toSorted();
}

const path = "file://./x.ts";

describe("a function document", () => {
  test("loads unchanged in the shape that was announced", async () => {
    const text = await readFile(announced, "utf8");
    const loaded = loadFunction(text, { file: "announced.json" });
    if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
    expect(loaded.document).toEqual(JSON.parse(text));
    expect(loaded.positionOf("/steps/step-2/after/0/step")).toEqual({ line: 6, column: 37 });
    expect(loaded.positionOf("")).toEqual({ line: 1, column: 1 });
    expect(loaded.positionOf("/nowhere")).toBe(undefined);
  });

  test("loads as bytes, with and without a byte order mark", async () => {
    const bytes = await readFile(announced);
    expect(loadFunction(bytes, { file: "f" }).ok).toBe(true);
    const marked = loadFunction(Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), bytes]), { file: "f" });
    expect(marked.ok && marked.positionOf("/name")).toEqual({ line: 1, column: 11 });
    expect(loadFunction(`\uFEFF${bytes.toString()}`, { file: "f" }).ok).toBe(true);
  });

  test("loads with everything that it can say", () => {
    const text = documentWith({
      $schema: "./node_modules/millrace/host/function/function.schema.json",
      name: "All of it",
      description: "Every property once.",
      triggers: [{ event: "a/b", expression: "data.n > 1" }, { event: "a/b" }, { event: "größe/geändert" }],
      steps: {
        one: { id: "one", name: "One", path, runtime: { type: "wasm", engine: "v8" }, timeout: "30s" },
        two: {
          path: "file://./two.wasm",
          after: [
            { step: "one", if: "output.n > 1 && steps.one.n > 1", wait: "1h" },
            { step: "$trigger", if: "ts > 1" },
          ],
          join: "any",
          retry: { retries: 0 },
          limits: { memory: "64MiB", output: 1000, logs: 0 },
        },
        "step-3": {
          runtime: { type: "docker", image: "x" },
          after: [{ step: "two", if: "steps['one'].ok" }, { step: "one" }],
        },
        _cleanup: { path, after: [] },
      },
      onFailure: "_cleanup",
      retry: { retries: 2, backoff: { initial: "1s", factor: 1.5, max: "1m", jitter: 0 } },
    });
    expect(pairsOf(text)).toEqual([]);
  });

  test("names its file, line, column, and what is close to a misspelt name", () => {
    const text = [
      "{",
      '  "id": "f",',
      '  "triggers": [{ "event": "a/b", "expresion": "true" }],',
      '  "steps": {',
      '    "fetch": { "path": "file://./fetch.ts", "runtime": { "type": "wsm" } },',
      '    "send": { "path": "file://./send.ts", "after": [{ "step": "ftech", "if": "otuput.ok" }] }',
      "  },",
      '  "onFailure": "sned"',
      "}",
    ].join("\n");
    expect(problemsOf(text)).toEqual([
      {
        file: "f.json",
        code: "ERR_FUNCTION_SCHEMA",
        pointer: "/triggers/0/expresion",
        line: 3,
        column: 34,
        message: 'there is no property "expresion" here',
        expected: "one of event, expression",
        suggestion: "expression",
      },
      {
        file: "f.json",
        code: "ERR_FUNCTION_SCHEMA",
        pointer: "/steps/fetch/runtime/type",
        line: 5,
        column: 66,
        message: 'it must be one of "wasm", "docker", "lambda", "http"',
        expected: 'one of "wasm", "docker", "lambda", "http"',
        suggestion: "wasm",
      },
      {
        file: "f.json",
        code: "ERR_FUNCTION_STEP_UNKNOWN",
        pointer: "/steps/send/after/0/step",
        line: 6,
        column: 63,
        message: 'there is no step "ftech"',
        suggestion: "fetch",
      },
      {
        file: "f.json",
        code: "ERR_FUNCTION_EXPRESSION",
        pointer: "/steps/send/after/0/if",
        line: 6,
        column: 79,
        message: expect.stringContaining("there is no `otuput` here") as string,
        suggestion: "output",
      },
      {
        file: "f.json",
        code: "ERR_FUNCTION_STEP_UNKNOWN",
        pointer: "/onFailure",
        line: 8,
        column: 16,
        message: 'there is no step "sned"',
        suggestion: "send",
      },
    ]);
  });

  test("points into an expression through the escapes of its JSON string", () => {
    const text = String.raw`{"id":"f","triggers":[{"event":"a","expression":"data.x == \"\u0041\\n\" && usr.id == 1"}],"steps":{"a":{"path":"file://./a"}}}`;
    const [problem] = problemsOf(text);
    expect(problem?.code).toBe("ERR_FUNCTION_EXPRESSION");
    expect(text.slice((problem?.column ?? 0) - 1)).toMatch(/^usr\.id/);
  });
});

describe("a text that is no function document", () => {
  test.each<[string, string | Uint8Array, string[], RegExp]>([
    ["empty", "", ["JSON "], /empty/],
    ["white space", " \n\t", ["JSON "], /empty/],
    ["not UTF-8", Uint8Array.of(0x7b, 0xff, 0x7d), ["JSON "], /not UTF-8/],
    ["UTF-16", Buffer.from("\uFEFF{}", "utf16le"), ["JSON "], /not UTF-8/],
    ["a word", "hello", ["JSON -"], /"hello" is not JSON/],
    ["cut off", '{"id": "f"', ["JSON -"], /} is missing/],
    ["cut off in a string", '{"id": "f', ["JSON -"], /a " is missing/],
    ["two values", "{} {}", ["JSON -"], /has ended before this/],
    ["no comma", '{"id": "f" "name": "x"}', ["JSON -"], /comma is expected/],
    ["no colon", '{"id" "f"}', ["JSON -"], /colon is expected/],
    ["no quotes", '{id: "f"}', ["JSON -"], /./],
    ["single quotes", "{'id': 'f'}", ["JSON -"], /./],
    ["a tab in a string", '{"id": "a\tb"}', ["JSON -"], /control character/],
    ["a bad escape", String.raw`{"id": "\x"}`, ["JSON -"], /no such escape/],
    ["a bad number", '{"id": 01}', ["JSON -"], /./],
    ["1 MiB and more", `{"id":"${"x".repeat(1024 * 1024)}"}`, ["TOO_LARGE "], /has 1048585 bytes; 1048576/],
    ["10 MB", Buffer.alloc(10_000_000, "["), ["TOO_LARGE "], /has 10000000 bytes/],
    ["10,000 arrays", "[".repeat(10_000), ["TOO_LARGE "], /nests deeper than 128/],
    ["10,000 objects", '{"a":'.repeat(10_000), ["TOO_LARGE "], /nests deeper than 128/],
    ["brackets behind a comment", `/*"*/${"[".repeat(10_000)}`, ["TOO_LARGE "], /nests deeper than 128/],
    ["an array", "[]", ["SCHEMA "], /must be object, and is array/],
    ["null", "null", ["SCHEMA "], /must be object, and is null/],
    ["a number", "3", ["SCHEMA "], /must be object, and is number/],
  ])("%s", (_name, text, pairs, message) => {
    expect(pairsOf(text)).toEqual(pairs);
    const [problem] = problemsOf(text);
    expect(problem?.message).toMatch(message);
    expect(problem).toMatchObject({ file: "f.json", line: expect.any(Number) as number });
  });

  test("an empty object lacks each thing that is required", () => {
    expect(problemsOf("{}").map(({ message }) => message)).toEqual([
      'the property "id" is missing',
      'the property "triggers" is missing',
      'the property "steps" is missing',
    ]);
  });

  test("comments and trailing commas are told beside what else is wrong", () => {
    const text = `{ // a comment
      "id": "f", /* another */
      "triggers": [{ "event": "a/b" },],
      "steps": { "a": { "path": "file://./a", "after": [{ "step": "b" }] }, },
    }`;
    expect(
      problemsOf(text).map(({ line, code, message }) => `${line} ${code} ${message.slice(0, 20)}`),
    ).toEqual([
      "1 ERR_FUNCTION_JSON comments are not JSO",
      "2 ERR_FUNCTION_JSON comments are not JSO",
      "3 ERR_FUNCTION_JSON a comma before } or ",
      '4 ERR_FUNCTION_STEP_UNKNOWN there is no step "b"',
      "4 ERR_FUNCTION_JSON a comma before } or ",
      "5 ERR_FUNCTION_JSON a comma before } or ",
    ]);
  });
});

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
      String.raw`{"id":"f","name":"\ud800","triggers":[{"event":"a"}],"steps":{"a":{"path":"file://./x","runtime":{"type":"wasm","x":1e400}}}}`,
      ["JSON /name", "JSON /steps/a/runtime/x"],
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
          c: { runtime: { type: "http" } },
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
          a: { path, timeout: "soon", limits: { memory: "64 megs", output: -1, logs: 1.5 } },
          b: { path, after: [{ step: "a", wait: "1 y" }] },
        },
        retry: { retries: -1, backoff: { initial: "x", factor: 0, max: "", jitter: 2 } },
      },
      [
        "DURATION /retry/backoff/initial",
        "DURATION /retry/backoff/max",
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
          a: { path, timeout: "25h", limits: { memory: "1KiB", output: "65MiB", logs: "65MiB" } },
          b: {
            path,
            timeout: "0s",
            after: [{ step: "a", wait: "367d" }],
            retry: { backoff: { max: "400d" } },
          },
        },
      },
      [
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
      "waiting for an event",
      {
        steps: {
          a: { path },
          b: {
            path,
            after: [{ step: "a", async: { event: "b", ttl: "1h", match: "async.data.id == event.data.id" } }],
          },
        },
      },
      ["UNSUPPORTED /steps/b/after/0/async"],
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

describe("whatever the text", () => {
  test("2,000 mutations of a sound document are loaded or refused, never thrown at", async () => {
    const sound = await readFile(announced);
    let state = 7;
    const random = (bound: number): number => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return Math.floor((state / 2 ** 32) * bound);
    };
    let refused = 0;
    for (let round = 0; round < 2_000; round += 1) {
      const bytes = Buffer.from(sound);
      for (let change = 0; change <= random(4); change += 1) bytes[random(bytes.length)] = random(256);
      // Half of them as text, where broken UTF-8 has become U+FFFD.
      const loaded = loadFunction(round % 2 === 0 ? bytes : bytes.toString(), { file: "f.json" });
      if (loaded.ok) continue;
      refused += 1;
      expect(loaded.problems.length).toBeGreaterThan(0);
    }
    expect(refused).toBeGreaterThan(1_000);
  });

  test("2,000 structural mutations too: any value in any place", async () => {
    const text = await readFile(announced, "utf8");
    const values = [
      "null",
      "true",
      "-1",
      '""',
      '"x"',
      "[]",
      "{}",
      '[{"step":"step-1"}]',
      '{"type":"wasm"}',
      '"file://./x"',
    ];
    const places = [...text.matchAll(/"[^"]*"|\[|\{/g)].map(
      ({ index, 0: match }) => [index, match.length] as const,
    );
    let state = 5;
    const random = (bound: number): number => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return Math.floor((state / 2 ** 32) * bound);
    };
    for (let round = 0; round < 2_000; round += 1) {
      const [at = 0, length = 0] = places[random(places.length)] ?? [];
      const changed = text.slice(0, at) + (values[random(values.length)] ?? "") + text.slice(at + length);
      expect(() => loadFunction(changed, { file: "f.json" })).not.toThrow();
    }
  });

  test("a document of nothing but mistakes gives a bounded list", () => {
    const steps = Object.fromEntries(
      Array.from({ length: 3_000 }, (_, index) => [`s${index}`, { after: [{ step: `t${index}` }] }]),
    );
    const problems = problemsOf(documentWith({ steps }));
    expect(problems).toHaveLength(1_000);
  });
});
