import { cp } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { canBuild } from "./find-toolchains.ts";
import { functionText, projectFolder, type ProjectFixture } from "./project-fixture.ts";
import { stepRunner, type StepRunner } from "./step-runner.ts";

const header = join(import.meta.dirname, "../../../host/build/starters/c/typed/steps/greet/step.h");

const source = `
#include "step.h"

static step_text text(const char *value) { return (step_text){value, strlen(value)}; }

static bool asks(const step_input *input, const char *what) {
  return input->event.data.length > 2 && memmem(input->event.data.at, input->event.data.length, what, strlen(what)) != NULL;
}

step_result *step_run(const step_input *input) {
  static step_result result;
  step_log(STEP_WARN, "said", 4);
  if (asks(input, "before")) {
    result.is.output = input->step_count == 1 ? input->steps[0].output : text("null");
    return &result;
  }
  if (asks(input, "broken")) {
    result.is.output = text("{");
    return &result;
  }
  result.failed = true;
  result.is.failure.fatal = asks(input, "fatal");
  result.is.failure.retry.message = text("as asked");
  result.is.failure.retry.after.some = true;
  result.is.failure.retry.after.ms = 1234;
  return &result;
}
`;

describe.skipIf(!canBuild("c"))("a core module that exports the typed handler becomes a component", () => {
  let fixture: ProjectFixture;
  let runner: StepRunner;
  beforeAll(async () => {
    fixture = await projectFolder({
      "function.json": functionText({ s: "s" }),
      "s/main.c": `#define _GNU_SOURCE\n${source}`,
    });
    await cp(header, join(fixture.folder, "s/step.h"));
    runner = await stepRunner(fixture.folder);
    expect(runner.built.problems).toEqual([]);
  }, 300_000);
  afterAll(async () => {
    await runner?.dispose();
    await fixture?.dispose();
  });

  test("that gets records and logs by level", async () => {
    const result = await runner.run("s", { data: { do: "before" }, steps: { one: { n: [1, "✓"] } } });
    expect(result).toEqual({
      ok: true,
      output: { n: [1, "✓"] },
      logs: [{ level: "warn", message: "said" }],
    });
  });

  test("that asks for another attempt, after a while", async () => {
    expect(await runner.run("s", { data: { do: "retry" } })).toMatchObject({
      failure: { code: "ERR_STEP_FAILED", message: "as asked", retry: true, retryAfterMs: 1234 },
    });
  });

  test("that fails for good", async () => {
    expect(await runner.run("s", { data: { do: "fatal" } })).toMatchObject({
      failure: { code: "ERR_STEP_FATAL", message: "as asked" },
    });
  });

  test("that may not return what is not JSON", async () => {
    expect(await runner.run("s", { data: { do: "broken" } })).toMatchObject({
      failure: { code: "ERR_STEP_OUTPUT_INVALID" },
    });
  });
});
