import { expect, it } from "vitest";
import type { Driver, RuntimeName } from "../../../runtime/driver.ts";
import { systemClock } from "../../../host/clock.ts";
import { createDefinitions } from "../../../host/executor/definitions.ts";
import { createExecutor } from "../../../host/executor/executor.ts";
import { createNotices } from "../../../host/executor/notices.ts";
import { runId } from "../../../host/executor/run-id.ts";
import { functionVersion } from "../../../host/function/define.ts";
import { createLive } from "../../../host/live.ts";
import { openDatabase } from "../../../host/sqlite/database.ts";
import { storeLocation } from "../../../host/sqlite/location.ts";
import { createSqliteState } from "../../../host/state/sqlite.ts";

it("does not take a wake that comes while a run is being handed over for done", async () => {
  const state = createSqliteState(openDatabase(storeLocation("memory:")));
  const live = createLive();
  const definitions = createDefinitions(state.catalog);
  const document = {
    id: "f",
    triggers: [{ event: "a/b" }],
    steps: { a: { runtime: { type: "docker" as const } } },
  };
  await definitions.deploy([functionVersion(document, {}, 0)]);
  const asking = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  const executor = createExecutor({
    runs: state.runs,
    unattended: undefined,
    host: "h1",
    peers: {
      holds: async () => false,
      handOver() {
        asking.resolve();
        return asked.promise;
      },
    },
    definitions,
    drivers: new Map<RuntimeName, Driver>(),
    clock: systemClock,
    random: Math.random,
    live,
    notices: createNotices(systemClock, live),
    maxRuns: 10,
  });
  const started = await executor.handle({ id: "e", name: "a/b", data: {}, ts: 0 }, false);
  await asking.promise;
  // The other host has done its step by now, and hands the run back.
  const woken = await executor.wake(runId("f", "e"));
  asked.resolve();
  expect(await woken.released).toBe("back");
  expect(await started.released).toBe("back");
  await executor.close(0);
  await state.close();
});
