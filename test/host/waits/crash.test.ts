import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import type { HistoryEntry } from "../../../host/run/history.ts";
import { createHost, runId } from "../../../host/index.ts";
import { until } from "../broker/broker-contract.ts";
import { inProcessDrivers } from "../in-process-driver.ts";
import { findNatsServer } from "../nats/find-server.ts";
import { startNatsServer, type NatsServer } from "../nats/server.ts";
import { crashPrograms, crashVersion, due } from "./crash-function.ts";
import type { CrashOrder } from "./crash-host.ts";

const script = fileURLToPath(new URL("crash-host.ts", import.meta.url));
const program = findNatsServer();

/** A host in a process of its own, and what it acknowledged: "name number id". */
function startHost(order: CrashOrder): {
  acknowledged(most: number): Promise<void>;
  kill(): Promise<string[]>;
} {
  const child: ChildProcess = spawn(process.execPath, [script, JSON.stringify(order)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const closed = once(child, "close");
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await closed;
  });
  let text = "";
  child.stdout?.setEncoding("utf8").on("data", (more: string) => (text += more));
  // The last line may be cut off: that acknowledgement was not given.
  const lines = (): string[] => text.split("\n").slice(0, -1);
  return {
    async acknowledged(most) {
      await until(() => lines().length >= most || child.exitCode !== null);
    },
    async kill() {
      child.kill("SIGKILL");
      await closed;
      return lines();
    },
  };
}

/** Ends all that was left, and holds every run that was acknowledged to what must have become of it. */
async function checkAll(
  config: Pick<CrashOrder, "store" | "nats">,
  acknowledged: readonly string[],
): Promise<void> {
  const known = acknowledged.map((line) => line.split(" "));
  const begun = known.filter(([name]) => name === "begun");
  expect(begun.length).toBeGreaterThan(100);
  const host = await createHost({ ...config, drivers: inProcessDrivers(crashPrograms) });
  try {
    await host.deploy([crashVersion]);
    const told = new Set(known.map(([name, n]) => `${name} ${n}`));
    for (const [, n] of begun) {
      for (const name of ["first", "second"]) {
        // One that was sent and not acknowledged may be there all the same: then it comes twice.
        if (!told.has(`${name} ${n}`)) await host.publish([{ name, data: { n: Number(n) } }]);
      }
    }
    for (const [, n, id] of begun) {
      const run = await host.finished(runId("f", id ?? ""));
      expect(run.status).toBe("completed");
      checkHistory(run.history, Number(n));
    }
  } finally {
    await host.close();
  }
}

/** Each wait began once and ended once, by what it waits for; each timer fired once, and not too early. */
function checkHistory(history: readonly HistoryEntry[], n: number): void {
  const [started] = history;
  const of = (type: HistoryEntry["type"], key: "wait" | "step"): string[] =>
    history
      .flatMap((entry) => (entry.type === type && key in entry ? [String(entry[key as never])] : []))
      .toSorted();
  expect(of("wait.armed", "wait")).toEqual(["w1", "w2", "w3"]);
  expect(of("wait.matched", "wait")).toEqual(["w1", "w2"]);
  expect(of("wait.timedOut", "wait")).toEqual(["w3"]);
  expect(of("step.completed", "step")).toEqual(["first", "last", "later", "never", "second"]);
  for (const entry of history) {
    if (entry.type === "wait.matched") expect(entry.event.data).toEqual({ n });
    if (entry.type !== "step.completed" || started === undefined) continue;
    const after = entry.step === "never" ? due.never : entry.step === "later" ? due.later : 0;
    expect(entry.startedAt, entry.step).toBeGreaterThanOrEqual(started.at + after);
    if (entry.step === "first" || entry.step === "second") expect(entry.output).toBe(n);
  }
}

/** Acknowledgements after which hosts are killed: while their first runs are parked, and while timers fire and waits end. */
const kills = [1, 20, 60, 5, 120, 90, 150];

test("a host of an embedded store that is killed while its runs wait misses no wait, and no timer", async () => {
  const folder = await mkdtemp(join(tmpdir(), "millrace-crash-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const store = `sqlite:${join(folder, "store.db")}`;
  const acknowledged: string[] = [];
  for (const [i, most] of kills.entries()) {
    const host = startHost({ store, from: i * 1_000 });
    await host.acknowledged(most);
    acknowledged.push(...(await host.kill()));
  }
  await checkAll({ store }, acknowledged);
}, 240_000);

describe.skipIf(program === undefined)("on a nats-server", () => {
  let server: NatsServer;
  beforeAll(async () => {
    server = await startNatsServer(program ?? "");
  });
  afterAll(() => server.stop());

  test("hosts that are killed while their runs wait miss no wait, and no timer, for those that live", async () => {
    const config = { store: server.url, nats: { prefix: "crash", leaseMs: 2_000 } };
    const acknowledged: string[] = [];
    let other = startHost({ ...config, from: 0 });
    for (const [i, most] of kills.entries()) {
      const host = startHost({ ...config, from: (i + 1) * 1_000 });
      await host.acknowledged(most);
      acknowledged.push(...(await other.kill()));
      other = host;
    }
    acknowledged.push(...(await other.kill()));
    await checkAll(config, acknowledged);
  }, 240_000);
});
