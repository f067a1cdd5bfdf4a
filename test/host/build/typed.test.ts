import { createHash } from "node:crypto";
import { cp, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadBinding } from "../../../runtime/wasm/wasmtime/load.ts";
import { canBuild } from "./find-toolchains.ts";
import { functionText, projectFolder, type ProjectFixture } from "./project-fixture.ts";
import { type Given, stepRunner, type StepRunner } from "./step-runner.ts";

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

const goStep = join(import.meta.dirname, "../../../host/build/starters/go/typed/steps/greet/step.go");

const goSource = `package main

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"time"
)

func Run(input Input) (any, error) {
	var data struct{ Do, Text string }
	if err := json.Unmarshal(input.Event.Data, &data); err != nil {
		return nil, err
	}
	switch data.Do {
	case "before":
		return input.Steps[0].Output, nil
	case "all":
		return input, nil
	case "fail":
		return nil, errors.New("as asked")
	case "fatal":
		return nil, fmt.Errorf("wrapped: %w", Fatal("as asked"))
	case "broken":
		return json.RawMessage("{"), nil
	case "panic":
		panic("as asked")
	case "wait":
		done := make(chan string)
		go func() { time.Sleep(2 * time.Millisecond); done <- "waited" }()
		return <-done, nil
	case "garbage":
		digest := sha256.Sum256([]byte(data.Text))
		for range 2000 {
			digest = sha256.Sum256(append(make([]byte, 100_000), digest[:]...))
		}
		runtime.GC()
		fmt.Fprintln(os.Stderr, "still there")
		again := sha256.Sum256(input.Event.Data)
		return []any{len(data.Text), fmt.Sprintf("%x", again), input.Ctx.RunID}, nil
	}
	return nil, Retry{"as asked", 1234 * time.Millisecond}
}
`;

describe.skipIf(!canBuild("go"))("a typed step in Go", () => {
  let fixture: ProjectFixture;
  beforeAll(async () => {
    fixture = await projectFolder({
      "function.json": functionText({ s: "s", file: "one/step.go" }),
      "s/go.mod": "module s\n\ngo 1.24\n",
      "s/main.go": goSource,
      "one/step.go": `${goSource}\n${(await readFile(goStep, "utf8")).replace(/^[^]*?\n\)\n/, "")}`.replace(
        '"time"\n',
        '"time"\n\t"unsafe"\n',
      ),
    });
    await cp(goStep, join(fixture.folder, "s/step.go"));
  });
  afterAll(() => fixture?.dispose());

  describe.each(["v8", "wasmtime"] as const)("on %s", (engine) => {
    const isHere = engine === "v8" || loadBinding().ok;
    let runner: StepRunner;
    beforeAll(async () => {
      if (!isHere) return;
      runner = await stepRunner(fixture.folder, { engine });
      expect(runner.built.problems).toEqual([]);
      // An engine compiles what it sees for the first time, which takes Wasmtime a while.
      for (const step of ["s", "file"]) await runner.run(step);
    }, 300_000);
    afterAll(() => runner?.dispose());

    const run = (what: string, given: Given = {}) => runner.run("s", { ...given, data: { do: what } });

    test.skipIf(!isHere)("has its input as records", async () => {
      const given = { user: { id: "u" }, attributes: { source: "x" }, steps: { a: 1, b: { c: "✓" } } };
      const result = await run("all", { ...given, v: "2", ctx: { attempt: 3, traceparent: "t" } });
      expect(result).toMatchObject({
        ok: true,
        output: {
          Event: {
            ID: "event-1",
            Name: "a/b",
            Data: { do: "all" },
            User: { id: "u" },
            TS: 1_700_000_000_123,
          },
          Steps: [
            { Step: "a", Output: 1 },
            { Step: "b", Output: { c: "✓" } },
          ],
          Ctx: { RunID: "run-1", StepID: "s", Attempt: 3, Deadline: 1_700_000_030_123, Traceparent: "t" },
        },
      });
    });

    test.skipIf(!isHere)("says how it fails", async () => {
      const outcomes = await Promise.all(["retry", "fail", "fatal", "broken"].map((what) => run(what)));
      expect(outcomes.map((one) => !one.ok && one.failure)).toMatchObject([
        { code: "ERR_STEP_FAILED", message: "as asked", retry: true, retryAfterMs: 1234 },
        { code: "ERR_STEP_FAILED", message: "as asked", retry: true },
        { code: "ERR_STEP_FATAL", message: "wrapped: as asked", retry: false },
        { code: "ERR_STEP_FAILED", message: expect.stringContaining("json: error calling MarshalJSON") },
      ]);
    });

    test.skipIf(!isHere)("that panics says where in its log, and is tried again", async () => {
      const result = await run("panic");
      expect(result).toMatchObject({ ok: false, failure: { code: "ERR_STEP_TRAP", retry: true } });
      expect(result.logs.map(({ message }) => message).join("\n")).toMatch(/panic: as asked[^]*main\.go:\d+/);
    });

    test.skipIf(!isHere)("may wait for another goroutine", async () => {
      expect(await run("wait")).toMatchObject({ ok: true, output: "waited" });
    });

    test.skipIf(!isHere)("keeps its input and its streams whatever the collector does", async () => {
      const data = { do: "garbage", text: "x".repeat(2 ** 20) };
      const digest = createHash("sha256").update(JSON.stringify(data)).digest("hex");
      expect(await runner.run("s", { data })).toEqual({
        ok: true,
        output: [2 ** 20, digest, "run-1"],
        logs: [{ level: "info", message: "still there" }],
      });
    });

    test.skipIf(!isHere)("may be one file", async () => {
      expect(await runner.run("file", { data: { do: "fail" } })).toMatchObject({
        failure: { message: "as asked" },
      });
    });
  });
});
