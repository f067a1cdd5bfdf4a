import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createHost, runId } from "../../../host/index.ts";
import { inProcessDrivers } from "../in-process-driver.ts";

const script = fileURLToPath(new URL("killed-saga.ts", import.meta.url));
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "millrace-saga-"));
});
afterEach(() => rm(folder, { recursive: true }));

/** Advances the run for so long once the host is up, and kills it; resolves to whether the run was over before. */
function advance(store: string, executions: string, ms: number): Promise<boolean> {
  const child = spawn(process.execPath, [script, store, executions], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  child.stdout.once("data", () => setTimeout(() => child.kill("SIGKILL"), ms));
  return new Promise((resolve) => child.once("exit", (code) => resolve(code === 0)));
}

test("a host that is killed again and again works a list through and undoes it, each item once in the history", async () => {
  const store = `sqlite:${join(folder, "store.db")}`;
  const executions = join(folder, "executions");
  let kills = 0;
  // Each has a little longer: the machine may be slow, and its processes take their time to begin.
  while (!(await advance(store, executions, 40 + kills * 15))) {
    kills += 1;
    expect(kills).toBeLessThan(60);
  }
  const host = await createHost({ store, drivers: inProcessDrivers({}) });
  const run = await host.runs.load(runId("f", "one"));
  await host.close();
  expect(kills).toBeGreaterThan(1);
  expect(run?.history.at(-1)).toMatchObject({
    type: "run.failed",
    failure: { step: "last" },
    undone: ["add", "book"],
  });
  const recorded = (step: string): number[] =>
    run!.history.flatMap((entry) =>
      entry.type === "item.completed" && entry.step === step ? [entry.item] : [],
    );
  const all = Array.from({ length: 150 }, (_, n) => n);
  const ascending = (one: number, other: number): number => one - other;
  expect(recorded("add").toSorted(ascending)).toEqual(all);
  expect(recorded("drop").toSorted(ascending)).toEqual(all);
  const order = run!.history.flatMap((entry) =>
    entry.type === "step.completed" || entry.type === "items.completed" ? [entry.step] : [],
  );
  expect(order).toEqual(["book", "add", "drop", "unbook"]);
  // What was recorded is not run again: a kill costs no more than what was under way.
  const ran = (await readFile(executions, "utf8")).trim().split("\n");
  expect(ran.length).toBeLessThanOrEqual(302 + kills * 100);
  const again = ran.length - new Set(ran).size;
  expect(again).toBeLessThanOrEqual(kills * 4 + kills);
}, 120_000);
