import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Driver } from "../../../runtime/driver.ts";
import { createLambdaDriver } from "../../../runtime/lambda/lambda.ts";
import { attempt } from "./attempts.ts";
import { skipped, startEmulator, type Emulator } from "./emulator.ts";

describe.skipIf(skipped)("a Lambda step on AWS's emulator", () => {
  let emulator: Emulator;
  let driver: Driver;

  beforeAll(async () => {
    emulator = await startEmulator({ timeout: 2 });
    driver = createLambdaDriver();
  });
  afterAll(async () => {
    await driver.close();
    await emulator.close();
  });

  const run = (...[data, options]: [Parameters<typeof attempt>[1]?, Parameters<typeof attempt>[2]?]) =>
    driver.execute(attempt({ endpoint: emulator.endpoint }, data, options));

  test("has the step's input as its event, and its return value as the output", async () => {
    const { program: _, input } = attempt({}, { greeting: "Grüß Gott 👋" }, { steps: { before: [1, null] } });
    const result = await run({ greeting: "Grüß Gott 👋" }, { steps: { before: [1, null] } });
    expect(result).toEqual({ ok: true, output: JSON.parse(JSON.stringify(input)), logs: [] });
  });

  test.each([
    ["null for nothing", { do: "nothing" }, null],
    ["null", { do: "put", value: null }, null],
    ["a text", { do: "put", value: "plain text" }, "plain text"],
    [
      "a text that looks like an error's",
      { do: "put", value: { errorType: 1, other: 2 } },
      { errorType: 1, other: 2 },
    ],
    ["a number", { do: "put", value: 1.5 }, 1.5],
  ])("puts out %s", async (_name, data, output) => {
    expect(await run(data)).toEqual({ ok: true, output, logs: [] });
  });

  test("fails with the type and message of what its handler throws, and the stack in the log", async () => {
    const result = await run({ do: "fail", type: "PaymentError", message: "the card was refused" });
    expect(result).toMatchObject({
      ok: false,
      failure: { code: "ERR_STEP_FAILED", message: "PaymentError: the card was refused", retry: true },
    });
    expect(result.logs[0]).toEqual({ level: "error", message: "PaymentError: the card was refused" });
    expect(result.logs[1]?.message).toMatch(/handler\.mjs/);
  });

  test("fails for good with FatalError, and with the types that its document lists", async () => {
    const fatal = { code: "ERR_STEP_FATAL", retry: false };
    expect(await run({ do: "fail", type: "FatalError", message: "no such customer" })).toMatchObject({
      failure: { ...fatal, message: "FatalError: no such customer" },
    });
    const listed = { endpoint: emulator.endpoint, fatal: ["ValidationError"] };
    const data = { do: "fail", type: "ValidationError", message: "no amount" };
    expect(await driver.execute(attempt(listed, data))).toMatchObject({ failure: fatal });
    expect(await run(data)).toMatchObject({ failure: { code: "ERR_STEP_FAILED", retry: true } });
  });

  test("whose process exits fails, for good with code 65, and the next attempt has another process", async () => {
    expect(await run({ do: "exit", status: 3 })).toMatchObject({
      failure: { code: "ERR_STEP_FAILED", message: expect.stringContaining("exit status 3"), retry: true },
    });
    expect(await run({ do: "exit", status: 65 })).toMatchObject({
      failure: { code: "ERR_STEP_FATAL", retry: false },
    });
    expect(await run({ do: "put", value: 1 })).toMatchObject({ ok: true, output: 1 });
  });

  test("whose process is killed has most likely run out of memory", async () => {
    expect(await run({ do: "kill" })).toMatchObject({
      failure: { code: "ERR_STEP_MEMORY", message: expect.stringContaining("MemorySize"), retry: true },
    });
  });

  test("that runs into the function's own timeout says which one to raise", async () => {
    expect(await run({ do: "sleep", ms: 60_000 })).toMatchObject({
      failure: { code: "ERR_STEP_TIMEOUT", message: expect.stringContaining("`Timeout`"), retry: true },
    });
  });

  test("that runs into the step's timeout fails at once, and the next attempt waits for the emulator", async () => {
    const slow = run({ do: "sleep", ms: 1_000 }, { limits: { wallMs: 200 } });
    expect(await slow).toMatchObject({
      failure: { code: "ERR_STEP_TIMEOUT", message: expect.stringContaining("200 ms"), retry: true },
    });
    expect(await run({ do: "put", value: 2 })).toMatchObject({ ok: true, output: 2 });
  });

  test("that is cancelled fails at once", async () => {
    const cancel = new AbortController();
    const slow = run({ do: "sleep", ms: 1_000 }, { signal: cancel.signal });
    cancel.abort();
    expect(await slow).toMatchObject({ failure: { code: "ERR_STEP_CANCELLED", retry: true } });
    expect(await run({ do: "nothing" }, { signal: cancel.signal })).toMatchObject({
      failure: { code: "ERR_STEP_CANCELLED" },
    });
  });

  test("puts out no more than its limit, nor than Lambda passes on, nor what can't be kept", async () => {
    expect(await run({ do: "text", length: 2_000 }, { limits: { outputBytes: 1_000 } })).toMatchObject({
      failure: { code: "ERR_STEP_OUTPUT_TOO_LARGE", message: expect.stringContaining("2002"), retry: false },
    });
    expect(await run({ do: "text", length: 7_000_000 })).toMatchObject({
      failure: {
        code: "ERR_STEP_OUTPUT_TOO_LARGE",
        message: expect.stringContaining("Lambda"),
        retry: false,
      },
    });
    expect(await run({ do: "deep", depth: 2_000 })).toMatchObject({
      failure: { code: "ERR_STEP_OUTPUT_INVALID", retry: false },
    });
  });

  test("takes 1 MiB of input", async () => {
    const value = "ä".repeat(512 * 1024);
    expect(await run({ do: "put", value }, { limits: { outputBytes: 2 * 1024 * 1024 } })).toMatchObject({
      ok: true,
      output: value,
    });
  });

  test("is found under the emulator's only name, whatever the document calls it", async () => {
    const named = { endpoint: emulator.endpoint, function: "shop-charge", qualifier: "7" };
    expect(await driver.execute(attempt(named, { do: "put", value: "here" }))).toMatchObject({
      output: "here",
    });
  });

  test("runs one invocation at a time, since the emulator falls over by a second", async () => {
    const values = Array.from({ length: 8 }, (_, value) => value);
    const results = await Promise.all(values.map((value) => run({ do: "put", value })));
    expect(results.map((result) => (result.ok ? result.output : result.failure))).toEqual(values);
  });
});

describe.skipIf(skipped)("a Lambda function that can't be loaded", () => {
  let emulator: Emulator | undefined;
  afterEach(() => emulator?.close());

  test("fails for good", async () => {
    emulator = await startEmulator({ handler: "/nowhere/handler.mjs" });
    const driver = createLambdaDriver();
    expect(await driver.execute(attempt({ endpoint: emulator.endpoint }))).toMatchObject({
      failure: {
        code: "ERR_LAMBDA_HANDLER",
        message: expect.stringContaining("/nowhere/handler.mjs"),
        retry: false,
      },
    });
    await driver.close();
  });
});

describe.skipIf(skipped)("closing the driver", () => {
  test("ends what runs as cancelled", async () => {
    const emulator = await startEmulator();
    const driver = createLambdaDriver();
    const running = driver.execute(attempt({ endpoint: emulator.endpoint }, { do: "sleep", ms: 10_000 }));
    const waiting = driver.execute(attempt({ endpoint: emulator.endpoint }));
    await driver.close();
    for (const result of [await running, await waiting, await driver.execute(attempt({}))])
      expect(result).toMatchObject({ failure: { code: "ERR_STEP_CANCELLED" } });
    await emulator.close();
  });
});
