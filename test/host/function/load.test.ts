import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import schema from "../../../host/function/function.schema.json" with { type: "json" };
import { loadFunction } from "../../../host/function/load.ts";
import { seeded } from "../../random.ts";
import { documentWith, pairsOf, problemsOf } from "./problems.ts";

const announced = new URL("../../fixtures/functions/announced.json", import.meta.url);

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
          capabilities: { env: { LANG: "de", _x1: "" }, seed: "s" },
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
    ["an array", "[]", ["SCHEMA "], /must be an object, and is an array/],
    ["null", "null", ["SCHEMA "], /must be an object, and is null/],
    ["a number", "3", ["SCHEMA "], /must be an object, and is a number/],
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

describe("whatever the text", () => {
  test("2,000 mutations of a sound document are loaded or refused, never thrown at", async () => {
    const sound = await readFile(announced);
    const random = seeded(7);
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
    const random = seeded(5);
    for (let round = 0; round < 2_000; round += 1) {
      const [at = 0, length = 0] = places[random(places.length)] ?? [];
      const changed = text.slice(0, at) + (values[random(values.length)] ?? "") + text.slice(at + length);
      expect(() => loadFunction(changed, { file: "f.json" })).not.toThrow();
    }
  });

  test("a document of nothing but mistakes gives a bounded list", () => {
    const steps = Object.fromEntries(
      Array.from({ length: 900 }, (_, index) => [
        `s${index}`,
        { after: [{ step: `t${index}` }], extra: index },
      ]),
    );
    const problems = problemsOf(documentWith({ steps }));
    expect(problems).toHaveLength(1_000);
  });

  test("more steps than a document may have are refused, not worked through", () => {
    const chain = Object.fromEntries(
      Array.from({ length: 20_000 }, (_, index) => [
        `s${index}`,
        { after: [{ step: `s${index === 0 ? 0 : index - 1}` }] },
      ]),
    );
    const text = JSON.stringify({ id: "f", triggers: [{ event: "a" }], steps: chain });
    expect(problemsOf(text)).toMatchObject([
      { code: "ERR_FUNCTION_SCHEMA", pointer: "/steps", message: "it has 20000 steps; 1000 are allowed" },
    ]);
    expect(schema.properties.steps.maxProperties).toBe(1_000);
  });
});
