import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { AttemptResult, LogLine } from "../../../runtime/driver.ts";
import { type Given, stepRunner, type StepRunner } from "./step-runner.ts";

const project = join(import.meta.dirname, "../../fixtures/projects/javascript");

let runner: StepRunner;

beforeAll(async () => {
  runner = await stepRunner(project);
  expect(runner.built.problems).toEqual([]);
}, 180_000);

afterAll(() => runner?.dispose());

async function outputOf(step: string, given?: Given): Promise<any> {
  const result = await runner.run(step, given);
  if (!result.ok) throw new Error(JSON.stringify(result));
  return result.output;
}

async function failureOf(step: string, kind: string) {
  const result = await runner.run(step, { data: { kind } });
  if (result.ok) throw new Error(`it succeeded with ${JSON.stringify(result.output)}`);
  return result.failure;
}

async function logsOf(step: string, given?: Given): Promise<readonly LogLine[]> {
  return (await runner.run(step, given)).logs;
}

function logText({ logs }: AttemptResult): string {
  return logs.map(({ message }) => message).join("\n");
}

const retry = (message: string, more: object = {}) => ({
  code: "ERR_STEP_FAILED",
  message,
  retry: true,
  ...more,
});
const fatal = (message: string) => ({ code: "ERR_STEP_FATAL", message, retry: false });

describe("a default export", () => {
  test("gets event, steps and context as the contract has them", async () => {
    const output = await outputOf("input", {
      data: { a: [1, { b: null }] },
      user: { id: "ada" },
      v: "2",
      attributes: { source: "/shop", n: 1 },
      steps: { one: { x: 1 }, "two-3": "text", __proto__x: null },
      ctx: {
        attempt: 3,
        user: { id: "ada" },
        traceparent: "00-1",
        failure: { step: "s", code: "C", message: "m" },
      },
    });
    expect(output).toEqual({
      event: {
        id: "event-1",
        name: "a/b",
        data: { a: [1, { b: null }] },
        user: { id: "ada" },
        ts: 1_700_000_000_123,
        v: "2",
        attributes: { source: "/shop", n: 1 },
      },
      steps: { one: { x: 1 }, "two-3": "text", __proto__x: null },
      ctx: {
        runId: "run-1",
        functionId: "f",
        functionVersion: "0123456789ab",
        stepId: "input",
        attempt: 3,
        deadline: 1_700_000_030_123,
        idempotencyKey: "key-1",
        user: { id: "ada" },
        traceparent: "00-1",
        failure: { step: "s", code: "C", message: "m" },
      },
    });
  });

  test("finds no property for what is not there", async () => {
    const { event, ctx } = await outputOf("input");
    expect(Object.keys(event)).toEqual(["id", "name", "data", "ts"]);
    expect(Object.keys(ctx)).not.toContain("user");
  });

  test.each([
    ["nothing", null],
    ["fn", null],
    ["symbol", null],
    ["text", "ü\ud800"],
    ["date", "1970-01-01T00:00:00.000Z"],
  ])("puts out what JSON makes of its result: %s", async (kind, expected) => {
    expect(await outputOf("results", { data: { kind } })).toEqual(expected);
  });

  test.each(["bigint", "cycle"])(
    "that returns a %s fails for good, as no attempt could do better",
    async (kind) => {
      const failure = await failureOf("results", kind);
      expect(failure).toMatchObject({ code: "ERR_STEP_FATAL", retry: false });
      expect(failure.message).toMatch(/^The step's result can't be written as JSON/);
    },
  );

  test.each([
    ["error", retry("plain")],
    ["type", retry("TypeError: typed")],
    ["string", retry("just text")],
    ["fatal", fatal("for good")],
    ["after text", retry("later", { retryAfterMs: 90_000 })],
    ["after number", retry("later", { retryAfterMs: 250 })],
    ["after nonsense", retry("later")],
    ["never", retry("The step awaits a promise that nothing will ever settle.")],
    ["lost", retry("lost")],
    ["timer", retry("in a timer")],
    [
      "exit",
      fatal("process.exit is for programs: a step with a default export returns its output or throws."),
    ],
    [
      "fetch",
      retry(
        "TypeError: fetch is not available: this step was not granted `http`. Name the hosts that it may call in the step's capabilities.",
      ),
    ],
  ])("fails as what it throws says: %s", async (kind, expected) => {
    expect(await failureOf("throws", kind)).toEqual(expected);
  });

  test("logs the stack of what it throws in lines of its own files", async () => {
    const [line] = await logsOf("throws", { data: { kind: "deep" } });
    expect(line).toEqual({
      level: "error",
      message: "RangeError: deep\n    at deep (lib/deep.ts:4)\n    at steps/throws.ts:21",
    });
    const [cause] = await logsOf("throws", { data: { kind: "cause" } });
    expect(cause?.message).toMatch(/^Error: outer\n {4}at steps\/throws.ts:23\n {2}cause: Error: inner\n/);
  });

  test("is told what to use in place of what is missing", async () => {
    const [line] = await logsOf("throws", { data: { kind: "missing" } });
    expect(line?.message).toMatch(/Buffer is not defined\n.*\nUse Uint8Array/);
  });

  test("is warned of a retryAfter that is none", async () => {
    const logs = await logsOf("throws", { data: { kind: "after nonsense" } });
    expect(logs.at(-1)).toMatchObject({ level: "warn", message: expect.stringContaining('"soon"') });
  });

  test("logs by the console, each level as it is", async () => {
    const logs = await logsOf("console");
    expect(logs.slice(1, 6)).toEqual([
      { level: "debug", message: "d" },
      { level: "info", message: "l" },
      { level: "info", message: "i" },
      { level: "warn", message: "w" },
      { level: "error", message: "e" },
    ]);
    expect(logs[0]?.level).toBe("trace");
    expect(logs[0]?.message).toMatch(/^Trace: t\n {4}at .*steps\/plain\.js:20/);
    expect(logs.slice(6).map(({ message }) => message)).toEqual([
      `x is 42, {"a":1} [ 1, 'two', { three: Map(1) { 'k' => [Set] } } ]`,
      [
        "{",
        "  deep: { deeper: { deepest: [Object] } },",
        "  f: [Function: f],",
        "  n: null,",
        "  u: undefined,",
        "  d: 1970-01-01T00:00:00.000Z,",
        "  r: /x/g",
        "}",
      ].join("\n"),
      "g",
      "  inside\n  lines",
      "Assertion failed: asserted",
      "c: 1",
      "c: 2",
      "lone \ufffd",
    ]);
  });

  test("may import the world's log", async () => {
    expect(await logsOf("log")).toEqual([
      { level: "warn", message: "one" },
      { level: "trace", message: "two" },
      { level: "error", message: "three" },
    ]);
  });

  test("begins each attempt with the state that its module had once loaded", async () => {
    expect([await outputOf("fresh"), await outputOf("fresh")]).toEqual([[1], [1]]);
  });

  test("has its own randomness and the time of its attempt", async () => {
    const before = Date.now();
    const [one, two] = [await outputOf("random"), await outputOf("random")];
    expect(one.random[0]).not.toBe(two.random[0]);
    expect(one.random[0]).not.toBe(one.random[1]);
    expect(one.uuid).not.toBe(two.uuid);
    expect(one.bytes).not.toEqual(two.bytes);
    for (const time of [one.now, one.date, two.now]) {
      expect(time).toBeGreaterThanOrEqual(before);
      expect(time).toBeLessThanOrEqual(Date.now());
    }
    expect(one.performance).toBeGreaterThanOrEqual(0);
    expect(one.uuid).toMatch(/^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
  });

  test("has it also where its module reads it while it loads", async () => {
    const before = Date.now();
    const [one, two] = [await outputOf("frozen"), await outputOf("frozen")];
    expect(one.random).not.toBe(two.random);
    expect(one.id).not.toBe(two.id);
    expect(one.now).toBeGreaterThanOrEqual(before);
    expect(await logsOf("frozen")).toEqual([{ level: "info", message: "loaded" }]);
  });

  test("may wait while its module loads", async () => {
    expect((await outputOf("waiting")).waited).toBeGreaterThanOrEqual(19);
  });

  test("has timers that wait and come in their order", async () => {
    const { order, waited } = await outputOf("timers");
    expect(order).toEqual(["10", "tick", "30", "tick", "a,b"]);
    expect(waited).toBeGreaterThanOrEqual(39);
  });

  test("has the globals that JavaScript is written with", async () => {
    expect(await outputOf("globals")).toEqual({
      url: "https://user@example.com:8080/a/x?y=%C3%BC#z",
      params: ["1", "3"],
      text: "ü€😀",
      fatal: "TypeError",
      base64: ["aGk=", "hi"],
      clone: { m: [1, { d: "1970-01-01T00:00:00.000Z" }], s: "x" },
      uncloneable: "DataCloneError",
      abort: "why",
      env: {},
      argv: ["node", "step"],
      mode: "production",
      node: null,
      self: true,
    });
  });

  test("has all of async JavaScript", async () => {
    expect(await outputOf("async")).toEqual({
      all: [1, 2, 3, 4],
      fromAsync: [1, 2],
      isOwn: true,
      name: "Promise",
      tag: "[object Promise]",
      settled: ["fulfilled", "rejected"],
      any: 2,
      race: 3,
      none: ["AggregateError", [1]],
      lazy: "lazy",
      tried: 5,
      thenable: "thenable",
    });
  });

  test("runs async code in the order in which Node does", async () => {
    const url = pathToFileURL(join(project, "steps/order.js")).href;
    const { default: here } = (await import(url)) as { default: () => Promise<readonly string[]> };
    expect(await outputOf("order")).toEqual(await here());
  });

  test("decodes malformed UTF-8 as Node does", async () => {
    const bytes = [
      "ff41",
      "c080",
      "e08080",
      "eda080",
      "f09f98",
      "f09f9841",
      "f4908080",
      "e282",
      "e241e282ac",
      "80bff5",
      "",
    ];
    const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
    expect(await outputOf("decode", { data: bytes })).toEqual(
      bytes.map((hex) => decoder.decode(Buffer.from(hex, "hex"))),
    );
  });

  test("may be written with what TypeScript adds", async () => {
    expect(await outputOf("syntax")).toEqual({
      red: "red",
      secret: 1,
      made: true,
      sum: "3",
      group: { odd: [1, 3], even: [2] },
      named: "2026",
    });
  });

  test("may be CommonJS", async () => {
    expect(await outputOf("common")).toEqual({ value: "lazy", name: "a/b" });
  });
});

describe("an export of the world's own", () => {
  test("gets the records and puts out JSON text", async () => {
    const output = await outputOf("raw", { data: { kind: "echo" }, steps: { one: [1] } });
    expect(output.event).toMatchObject({ data: '{"kind":"echo"}', user: null, ts: 1_700_000_000_123 });
    expect(output.steps).toEqual([{ step: "one", output: "[1]" }]);
    expect(output.ctx).toMatchObject({ runId: "run-1", idempotencyKey: "key-1", attempt: 1, failure: null });
  });

  test.each([
    ["retry", retry("later", { retryAfterMs: 70 })],
    ["retry plain", retry("later")],
    ["fatal", fatal("never")],
    ["error", retry("an error")],
  ])("throws the world's failure, or any error: %s", async (kind, expected) => {
    expect(await failureOf("raw", kind)).toEqual(expected);
  });

  test("that returns no JSON text fails for good", async () => {
    expect((await failureOf("raw", "value")).message).toMatch(/^TypeError: `run` must return JSON text/);
    expect(await failureOf("raw", "broken")).toMatchObject({ code: "ERR_STEP_OUTPUT_INVALID", retry: false });
  });
});

describe("a program", () => {
  test("reads its argument and prints, anew at each attempt", async () => {
    const [one, two] = [await outputOf("program"), await outputOf("program", { ctx: { attempt: 2 } })];
    expect(one).toMatchObject({ argc: 3, env: {}, name: "a/b", attempt: 1 });
    expect(two.attempt).toBe(2);
    expect(one.random).not.toBe(two.random);
  });

  test("may read the same on stdin, and logs on stderr", async () => {
    const result = await runner.run("stdin", { data: "ü".repeat(40_000) });
    expect(result).toMatchObject({
      ok: true,
      output: { argument: true, events: true, text: true, buffer: true },
    });
    expect(logText(result)).toBe("logged\nwarned");
  });

  test.each([
    ["nothing", null],
    ["text", "not JSON"],
    ["objects", "{ a: [ 1 ] } b"],
    ["exit 0", 1],
    ["later", "late"],
    ["write", [1, 2]],
    ["long", "ü€😀".repeat(30_000)],
  ])("puts out what it prints: %s", async (kind, expected) => {
    expect(await outputOf("ends", { data: { kind } })).toEqual(expected);
  });

  test.each([
    ["exit 3", "ERR_STEP_FAILED"],
    ["exit 65", "ERR_STEP_FATAL"],
    ["exitCode", "ERR_STEP_FAILED"],
    ["throw", "ERR_STEP_FAILED"],
    ["fatal", "ERR_STEP_FATAL"],
    ["reject", "ERR_STEP_FAILED"],
    ["hang", "ERR_STEP_FAILED"],
    ["file", "ERR_STEP_FAILED"],
  ])("fails as it ends: %s", async (kind, code) => {
    expect((await failureOf("ends", kind)).code).toBe(code);
  });

  test("that throws logs the stack in lines of its file", async () => {
    expect(logText(await runner.run("ends", { data: { kind: "throw" } }))).toBe(
      "Uncaught Error: thrown\n    at steps/ends.js:16",
    );
    expect(logText(await runner.run("ends", { data: { kind: "file" } }))).toMatch(
      /a step has no file system/,
    );
  });
});

test("packages from npm and JSON are bundled", async () => {
  expect(await outputOf("packages", { data: { a: 1 } })).toEqual({
    uuid: 36,
    ms: 172_800_000,
    ok: true,
    data: { from: "json" },
  });
});
