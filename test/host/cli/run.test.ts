import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { millrace, startMillrace } from "./cli-fixture.ts";
import { functionFiles, writeProject } from "./project-fixture.ts";

const steps = { first: { stdout: '{"n":1}', stderr: "first is here\n" }, second: { stdout: "plain text" } };
const good = functionFiles({ id: "good", steps });

test("`run` prints the outputs of the steps as JSON, and what they logged on stderr", async () => {
  const cwd = await writeProject(good);
  const { code, stdout, stderr } = await millrace(["run", "good", "--event", '{"data":{"x":1}}'], { cwd });
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toEqual({
    status: "completed",
    runId: expect.stringMatching(/^[\da-f]{32}$/),
    output: "plain text",
    outputs: { first: { n: 1 }, second: "plain text" },
  });
  expect(stderr).toContain("│ first is here\n");
  // The event had no name: it got the one that the trigger wants.
  expect(stderr).toContain('test/event {"x":1}');
});

test("the event comes from a file, from stdin, or lies beside the document", async () => {
  const cwd = await writeProject({
    ...good,
    "given.json": { data: { from: "file" } },
    "good/event.json": { data: { from: "beside" } },
  });
  const given = await millrace(["run", "good", "--event", "given.json"], { cwd });
  expect([given.code, given.stderr]).toEqual([0, expect.stringContaining('{"from":"file"}')]);
  const piped = await millrace(["run", "good", "--event", "-"], { cwd, input: '{"data":{"from":"stdin"}}' });
  expect([piped.code, piped.stderr]).toEqual([0, expect.stringContaining('{"from":"stdin"}')]);
  const beside = await millrace(["run", "good"], { cwd });
  expect([beside.code, beside.stderr]).toEqual([0, expect.stringContaining('{"from":"beside"}')]);
});

test("a function with a batch begins at once, with one event or with several", async () => {
  const batch = { maxSize: 100, timeout: "1h", key: "data.k" };
  const output = "{'events': events.map(e, e.data.k)}";
  const cwd = await writeProject(functionFiles({ id: "good", steps, more: { batch, output } }));
  for (const [event, ks] of [
    ['[{"data":{"k":2}},{"data":{"k":1}}]', [2, 1]],
    ['{"data":{"k":2}}', [2]],
  ] as const) {
    const { code, stdout } = await millrace(["run", "good", "--event", event], { cwd });
    expect([code, JSON.parse(stdout)]).toMatchObject([0, { output: { events: ks } }]);
  }
});

test("a run that fails exits with 1 and says which step failed and why", async () => {
  const cwd = await writeProject(functionFiles({ id: "bad", steps: { ...steps, last: { exit: 65 } } }));
  const { code, stdout, stderr } = await millrace(["run", "bad"], { cwd });
  expect(code).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject({
    status: "failed",
    outputs: { first: { n: 1 }, second: "plain text" },
    failure: { step: "last", code: "ERR_STEP_FATAL" },
  });
  expect(stderr).toContain("ERR_STEP_FATAL");
  expect(stderr).not.toContain("    at ");
  // What to do about it is for the step's author to know.
  expect(stdout + stderr).not.toContain("next");
});

test("an event that no trigger takes exits with 3 and the reason", async () => {
  const cwd = await writeProject(functionFiles({ id: "picky", expression: "data.n > 3", steps }));
  const reasons: [string, string][] = [
    ['{"data":{"n":1}}', "data.n > 3 is false"],
    ['{"data":{}}', "data.n > 3 counts as false"],
    ['{"data":{"n":"x"}}', "data.n > 3 can't be evaluated"],
    ['{"name":"other"}', "a trigger wants the event test/event, and this one is other"],
  ];
  for (const [event, reason] of reasons) {
    const { code, stdout, stderr } = await millrace(["run", "picky", "--event", event], { cwd });
    expect([code, stdout]).toEqual([3, ""]);
    expect(stderr).toContain("ERR_NOT_TRIGGERED: No trigger of picky takes the event: ");
    expect(stderr).toContain(reason);
  }
  expect((await millrace(["run", "picky", "--event", '{"data":{"n":4}}'], { cwd })).code).toBe(0);
});

test("an unknown function is refused with the ids that there are, or the one that was meant", async () => {
  const cwd = await writeProject(good);
  const close = await millrace(["run", "god"], { cwd });
  expect(close.code).toBe(2);
  expect(close.stderr).toContain('has no function "god". Did you mean good?');
  const far = await millrace(["run", "zebra", "--json"], { cwd });
  expect(far.code).toBe(2);
  expect(JSON.parse(far.stdout)).toMatchObject({
    error: { code: "ERR_PROJECT_FUNCTION", message: expect.stringContaining("It has good.") },
  });
});

test("an event that does not fit its schema, or is none, is refused with the place", async () => {
  const schema = { type: "object", properties: { n: { type: "integer" } }, required: ["n"] };
  const cwd = await writeProject({ ...good, "events/test/event.json": schema });
  const unfit = await millrace(["run", "good", "--event", '{"data":{"n":"x"}}'], { cwd });
  expect(unfit.code).toBe(2);
  expect(unfit.stderr).toMatch(/^\/data\/n: ERR_EVENT_SCHEMA: it must be an integer, and is a string$/m);
  const none = await millrace(["run", "good", "--event", '{"data":{"n":1},"usr":{}}'], { cwd });
  expect(none.code).toBe(2);
  expect(none.stderr).toContain("did you mean: user");
});

test("what a step prints can't command the terminal, and NO_COLOR leaves no escape at all", async () => {
  const loud = { stdout: '"\\u001b[2J"', stderr: "\u001b[31mred\u001b]0;title\u0007\n" };
  const cwd = await writeProject(functionFiles({ id: "loud", steps: { loud } }));
  const { code, stdout, stderr } = await millrace(["run", "loud"], { cwd, env: { NO_COLOR: "1" } });
  expect(code).toBe(0);
  expect(`${stdout}${stderr}`).not.toContain("\u001b");
  expect(stderr).toContain("│ red\n");
  expect(JSON.parse(stdout)).toMatchObject({ outputs: { loud: "\u001b[2J" } });
});

test("`run` takes no notice of other functions that the event triggers", async () => {
  const other = functionFiles({ id: "another", steps: { only: { exit: 65 } } });
  const cwd = await writeProject({ ...good, ...other });
  const { code, stderr } = await millrace(["run", "good"], { cwd });
  expect(code).toBe(0);
  expect(stderr).not.toContain("another");
});

test("a broken document elsewhere does not keep a function from running, its own does", async () => {
  const cwd = await writeProject({ ...good, "broken/function.json": '{"id":"broken",}' });
  const sound = await millrace(["run", "good"], { cwd });
  expect(sound, sound.stderr).toMatchObject({ code: 0 });
  const { code, stderr } = await millrace(["run", "broken"], { cwd });
  expect(code).toBe(2);
  expect(stderr).toMatch(/^broken\/function\.json:1:16: ERR_FUNCTION_JSON: /m);
  await writeFile(join(cwd, "good/first.wasm"), "no wasm at all");
  const unfit = await millrace(["run", "good"], { cwd });
  expect(unfit.code).toBe(2);
  expect(unfit.stderr).toMatch(/^good\/function\.json:\d+:\d+: ERR_COMPONENT_INVALID: .*good\/first\.wasm/m);
});

test("Ctrl-C ends a run that does not come to an end", async () => {
  const cwd = await writeProject(functionFiles({ id: "endless", steps: { loop: { loops: true } } }));
  const running = startMillrace(["run", "endless"], { cwd });
  await running.until(/started by/);
  expect(await running.stop("SIGINT")).toBe(130);
  expect(running.output()).not.toContain("ERR_");
});
