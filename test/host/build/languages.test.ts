import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { languages } from "../../../host/function/language.ts";
import type { AttemptResult } from "../../../runtime/driver.ts";
import { canBuild } from "./find-toolchains.ts";
import { stepRunner, type StepRunner } from "./step-runner.ts";

const project = join(import.meta.dirname, "../../fixtures/projects/languages");

const here = languages.filter(canBuild);

let runner: StepRunner;
beforeAll(async () => {
  runner = await stepRunner(project, { only: here, engine: "v8" });
  expect(runner.built.problems).toEqual([]);
}, 600_000);
afterAll(() => runner?.dispose());

const run = (language: string, what: string): Promise<AttemptResult> =>
  runner.run(language, { data: { do: what }, steps: { before: { n: 1, text: "✓" } } });
const logged = (result: AttemptResult): string => result.logs.map(({ message }) => message).join("\n");

describe.each(here)("a program in %s", (language) => {
  test("has its input as argument and on stdin, and puts out JSON", async () => {
    const result = await run(language, "echo");
    expect(result).toMatchObject({
      ok: true,
      output: { language, same: true, before: { before: { n: 1, text: "✓" } } },
    });
    expect(logged(result)).toBe("doing echo");
  });

  test("that prints nothing puts out null", async () => {
    expect(await run(language, "empty")).toMatchObject({ ok: true, output: null });
  });

  test("may print text, in any script", async () => {
    expect(await run(language, "text")).toMatchObject({ ok: true, output: "héllo ✓" });
  });

  test("fails for good by exit code 65", async () => {
    const result = await run(language, "fatal");
    expect(result).toMatchObject({ ok: false, failure: { code: "ERR_STEP_FATAL", retry: false } });
    expect(logged(result)).toBe("doing fatal");
  });

  test("fails, to be tried again, by any other", async () => {
    expect(await run(language, "fail")).toMatchObject({
      ok: false,
      failure: { code: "ERR_STEP_FAILED", retry: true, message: "The step exited with code 3: doing fail" },
    });
  });
});

describe.skipIf(!here.includes("python"))("Python", () => {
  test("says where an exception was raised, and is tried again", async () => {
    const result = await run("python", "raise");
    expect(result).toMatchObject({ ok: false, failure: { code: "ERR_STEP_FAILED" } });
    expect(logged(result)).toMatch(/File "main.py", line \d+, in main\n.*raise ValueError/);
    expect(logged(result)).not.toMatch(/millrace_guest/);
  });

  test("has the attempt's own environment and randomness, and none of the builder's", async () => {
    const one = await runner.run("python", { data: { do: "ambient" }, capabilities: { env: { A: "1" } } });
    const other = await runner.run("python", { data: { do: "ambient" } });
    expect(one).toMatchObject({ ok: true, output: { env: { A: "1" } } });
    expect(other).toMatchObject({ ok: true, output: { env: {} } });
    const numbers = [one, other].map((result) => result.ok && (result.output as { random: number }).random);
    expect(numbers[0]).not.toBe(numbers[1]);
  });
});
