import { afterAll, beforeAll, expect, test } from "vitest";
import type { AttemptResult } from "../../../runtime/driver.ts";
import { functionText, projectFolder, type ProjectFixture } from "./project-fixture.ts";
import { stepRunner, type StepRunner } from "./step-runner.ts";

const env = `
import process from "node:process";
const early = process.env.LANG;
export default () => ({ early, late: process.env.LANG, all: { ...process.env }, has: "LANG" in process.env });`;
const ambient = `
export default async () => {
  const started = Date.now();
  await new Promise((resolve) => setTimeout(resolve, 20_000));
  return [started, Date.now(), Math.random(), crypto.randomUUID(), performance.now(), new Date().toISOString()];
};`;
const printed = `console.log(JSON.stringify([process.env.LANG ?? null, Math.random(), Date.now()]));`;

let fixture: ProjectFixture;
let runner: StepRunner;
beforeAll(async () => {
  fixture = await projectFolder({
    "function.json": functionText({ env: "env.js", ambient: "ambient.js", printed: "printed.js" }),
    "env.js": env,
    "ambient.js": ambient,
    "printed.js": printed,
  });
  runner = await stepRunner(fixture.folder);
}, 120_000);
afterAll(async () => {
  await runner?.dispose();
  await fixture?.dispose();
});

const output = (result: AttemptResult): unknown => (result.ok ? result.output : result.failure);

test("process.env has what the step was granted, also while its module loads, and is empty else", async () => {
  expect(output(await runner.run("env", { capabilities: { env: { LANG: "de", B: "" } } }))).toEqual({
    early: "de",
    late: "de",
    all: { LANG: "de", B: "" },
    has: true,
  });
  expect(output(await runner.run("env"))).toEqual({ all: {}, has: false });
});

test.each(["ambient", "printed"])("a seed makes JavaScript put out the same each time: %s", async (step) => {
  const run = async (seed: string) => output(await runner.run(step, { capabilities: { seed } }));
  const first = await run("one");
  expect(first).toEqual(expect.any(Array));
  expect(await run("one")).toEqual(first);
  expect(await run("two")).not.toEqual(first);
});

test("a seed starts Date at the event's time, and timers take none", async () => {
  const [started, ended] = output(await runner.run("ambient", { capabilities: { seed: "s" } })) as number[];
  expect(started).toBe(1_700_000_000_123);
  expect(ended).toBe(1_700_000_020_123);
});
