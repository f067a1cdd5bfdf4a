import { expect, test } from "vitest";
import { functionVersion } from "../../../host/function/define.ts";
import type { FunctionDocument } from "../../../host/function/document.ts";
import { createHost, runId, type Host } from "../../../host/index.ts";
import { until } from "../broker/broker-contract.ts";
import { memoryStore, sqliteStore } from "../host-store.ts";
import { inProcessDrivers, type Program } from "../in-process-driver.ts";
import { admissionContract } from "./admission-contract.ts";
import { concurrencyContract } from "./concurrency-contract.ts";

for (const contract of [admissionContract, concurrencyContract]) {
  contract("memory:", memoryStore, { shared: false });
  contract("sqlite:", sqliteStore, { shared: false });
}

test("runs that have slots or wait for them go on after the host has ended, and keep to the limit", async () => {
  const { config, dispose } = await sqliteStore();
  const document: FunctionDocument = {
    id: "f",
    triggers: [{ event: "a/b" }],
    steps: { a: {} },
    concurrency: [{ limit: 1 }],
  };
  const order: string[] = [];
  let underWay = 0;
  let most = 0;
  const start = async (step: Program): Promise<Host> => {
    const host = await createHost({ ...config, drivers: inProcessDrivers({ a: step }) });
    await host.deploy([functionVersion(document, {}, 0)]);
    return host;
  };
  const first = await start(
    (_, signal) => new Promise((resolve) => signal?.addEventListener("abort", () => resolve(null))),
  );
  const ids = ["e1", "e2", "e3", "e4"];
  for (const id of ids) {
    await first.publish([{ id, name: "a/b" }]);
    await until(async () => {
      const run = await first.runs.load(runId("f", id));
      return run?.status === (id === "e1" ? "running" : "parked");
    });
  }
  // What is under way has not ended for the history.
  await first.close();
  const second = await start(async ({ event }) => {
    underWay += 1;
    most = Math.max(most, underWay);
    order.push(event.id);
    await new Promise((resolve) => setTimeout(resolve, 5));
    underWay -= 1;
    return null;
  });
  await second.publish([{ id: "e5", name: "a/b" }]);
  for (const id of [...ids, "e5"]) {
    expect((await second.finished(runId("f", id))).status, id).toBe("completed");
  }
  expect(most).toBe(1);
  expect(order.slice(-4)).toEqual(["e2", "e3", "e4", "e5"]);
  await second.close();
  await dispose();
});
