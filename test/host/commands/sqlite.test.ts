import { expect, test } from "vitest";
import { functionVersion } from "../../../host/function/define.ts";
import { createHost, runId } from "../../../host/index.ts";
import { memoryStore, sqliteStore } from "../host-store.ts";
import { inProcessDrivers } from "../in-process-driver.ts";
import { commandsContract } from "./commands-contract.ts";

commandsContract("memory:", memoryStore, { shared: false });

test("an event that is older than the function's startTimeout starts a run that is cancelled at once", async () => {
  const { config, dispose } = await sqliteStore();
  let now = Date.now();
  const clock = {
    now: () => now,
    schedule: (_at: number, callback: () => void) => {
      const immediate = setImmediate(callback);
      return () => clearImmediate(immediate);
    },
  };
  const drivers = inProcessDrivers({ a: () => "a" });
  const document = {
    id: "f",
    triggers: [{ event: "a/b" }],
    steps: { a: {} },
    startTimeout: "1m",
  };
  const first = await createHost({ ...config, drivers, clock });
  await first.deploy([functionVersion(document, {}, 0)]);
  await first.publish([{ id: "in-time", name: "a/b" }]);
  expect((await first.finished(runId("f", "in-time"))).status).toBe("completed");
  // Published, and not handed over before the host closes.
  const published = first.publish([{ id: "late", name: "a/b" }]);
  const closing = first.close();
  await Promise.all([published, closing]);
  now += 61_000;
  const second = await createHost({ ...config, drivers, clock });
  const run = await second.finished(runId("f", "late"));
  expect(run.status).toBe("cancelled");
  expect(run.history.map(({ type }) => type)).toEqual(["run.started", "run.cancelled"]);
  await second.close();
  await dispose();
});
