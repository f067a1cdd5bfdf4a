import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createHost, runId } from "../../../host/index.ts";
import { inProcessDrivers } from "../in-process-driver.ts";

const script = fileURLToPath(new URL("killed-host.ts", import.meta.url));
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "millrace-crash-"));
});
afterEach(() => rm(folder, { recursive: true }));

/** Runs the host, kills it `ms` after it has begun to acknowledge; resolves to the ids that it acknowledged. */
async function killedAfter(store: string, ms: number): Promise<string[]> {
  const child = spawn(process.execPath, [script, store], { stdio: ["ignore", "pipe", "inherit"] });
  child.stdout.once("data", () => setTimeout(() => child.kill("SIGKILL"), ms));
  // The last line may be cut off: that event's acknowledgement was not given.
  return (await text(child.stdout)).split("\n").slice(0, -1);
}

async function finishing(store: string): Promise<number | null> {
  const child = spawn(process.execPath, [script, store, "finish"], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  return new Promise((resolve) => child.once("exit", resolve));
}

test("a host that is killed at any moment loses no acknowledged event and finishes every run, each step once", async () => {
  const store = `sqlite:${join(folder, "store.db")}`;
  const acknowledged: string[] = [];
  for (const ms of [0, 7, 31, 64, 150, 3, 90, 220]) acknowledged.push(...(await killedAfter(store, ms)));
  expect(await finishing(store)).toBe(0);

  const host = await createHost({ store, drivers: inProcessDrivers({}) });
  try {
    expect(acknowledged.length).toBeGreaterThan(100);
    expect(new Set(acknowledged).size).toBe(acknowledged.length);
    for (const id of acknowledged) {
      const run = await host.runs.load(runId("f", id));
      expect(run?.status, `run of event ${id}`).toBe("completed");
      const recorded = run!.history.flatMap((entry) => (entry.type === "step.completed" ? [entry.step] : []));
      expect(recorded.toSorted()).toEqual(["first", "flaky", "last", "slow"]);
      expect(run!.history.findLast((entry) => entry.type === "step.completed")).toMatchObject({
        step: "last",
        output: "first,flaky,slow",
      });
    }
  } finally {
    await host.close();
  }
});
