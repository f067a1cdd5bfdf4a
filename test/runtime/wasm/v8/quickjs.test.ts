import { fileURLToPath } from "node:url";
import { componentize } from "componentize-qjs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createV8Engine } from "../../../../runtime/wasm/v8/engine.ts";
import { createHarness, stepInput } from "../harness.ts";
import type { Harness } from "../harness.ts";

const witPath = fileURLToPath(new URL("../../../../wit", import.meta.url));

/** A typed component in JavaScript; the event's data choose what it does. */
const jsSource = `
  import { log } from "millrace:step/log@0.1.0";
  let runs = 0;
  const deeper = (n) => deeper(n + 1) + 1;
  const actions = {
    echo: ({ event, steps, ctx }) => JSON.stringify({ runs, event, steps, ctx }, (_, value) =>
      typeof value === "bigint" ? Number(value) : value),
    retry: () => { throw { tag: "retry", val: { message: "busy", after: 1500 } }; },
    fatal: () => { throw { tag: "fatal", val: "never" }; },
    log: () => { log("warn", "one"); log("error", "zwei 👋"); return "null"; },
    bomb: () => { const kept = []; for (;;) kept.push(new Uint8Array(1 << 20)); },
    loop: () => { for (;;); },
    deep: () => String(deeper(0)),
    large: () => JSON.stringify("x".repeat(3_000_000)),
    now: () => String(Date.now()),
  };
  export const handler = {
    run(input) {
      runs++;
      return actions[JSON.parse(input.event.data)](input);
    },
  };`;

describe("a component of JavaScript", () => {
  let harness: Harness;
  let component: Uint8Array;
  beforeAll(async () => {
    harness = createHarness(createV8Engine);
    ({ component } = await componentize({ witPath, world: "step", jsSource, sync: true }));
  });
  afterAll(() => harness.close());

  const run = (action: string, limits = {}) =>
    harness.run(component, {
      input: stepInput({ event: { ...stepInput().event, data: action }, steps: { a: [1] } }),
      limits,
    });

  test("gets its input as records, in a fresh instance each time", async () => {
    for (let attempt = 0; attempt < 3; attempt++) {
      expect(await run("echo")).toMatchObject({
        ok: true,
        output: {
          runs: 1,
          event: { id: "event-1", name: "user/signed.up", data: '"echo"', ts: 1_700_000_000_000 },
          steps: [{ step: "a", output: "[1]" }],
          ctx: { runId: "run-1", attempt: 1, idempotencyKey: "run-1/greet" },
        },
      });
    }
  });

  test.each([
    ["retry", {}, { code: "ERR_STEP_FAILED", message: "busy", retry: true, retryAfterMs: 1500 }],
    ["fatal", {}, { code: "ERR_STEP_FATAL", message: "never", retry: false }],
    ["bomb", { memoryBytes: 32 * 1024 * 1024 }, { code: "ERR_STEP_MEMORY" }],
    ["loop", { wallMs: 300 }, { code: "ERR_STEP_TIMEOUT" }],
    ["large", { outputBytes: 1_000_000 }, { code: "ERR_STEP_OUTPUT_TOO_LARGE" }],
  ])("%s ends as it should, and the next attempt is clean", async (action, limits, failure) => {
    expect(await run(action, limits)).toMatchObject({ ok: false, failure });
    expect(await run("echo")).toMatchObject({ ok: true, output: { runs: 1 } });
  });

  test("that recurses too deep fails", async () => {
    expect(await run("deep")).toMatchObject({ ok: false });
    expect(await run("echo")).toMatchObject({ ok: true });
  });

  test("logs with levels", async () => {
    expect(await run("log")).toEqual({
      ok: true,
      output: null,
      logs: [
        { level: "warn", message: "one" },
        { level: "error", message: "zwei 👋" },
      ],
    });
  });

  test("has the time of its attempt, not of when it was built", async () => {
    const before = Date.now();
    const result = await run("now");
    expect(result.ok && Number(result.output)).toBeGreaterThanOrEqual(before);
  });
});
