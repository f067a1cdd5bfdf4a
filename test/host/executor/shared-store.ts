import type { Driver, RuntimeName } from "../../../runtime/driver.ts";
import { systemClock } from "../../../host/clock.ts";
import { createDefinitions } from "../../../host/executor/definitions.ts";
import { createExecutor, type Executor } from "../../../host/executor/executor.ts";
import { createNotices } from "../../../host/executor/notices.ts";
import type { Peers } from "../../../host/executor/peers.ts";
import type { FunctionDocument } from "../../../host/function/document.ts";
import { functionVersion } from "../../../host/function/define.ts";
import { createLive } from "../../../host/live.ts";
import { openDatabase } from "../../../host/sqlite/database.ts";
import { storeLocation } from "../../../host/sqlite/location.ts";
import { createSqliteState } from "../../../host/state/sqlite.ts";
import type { Runs } from "../../../host/state/state.ts";

interface SharedOptions {
  readonly steps: FunctionDocument["steps"];
  readonly drivers: ReadonlyMap<RuntimeName, Driver>;
  readonly peers?: Partial<Peers>;
  wrap?(runs: Runs): Runs;
}

/** An executor as on a store that it shares with others, with function "f" for events "a/b". */
export async function sharedExecutor(
  options: SharedOptions,
): Promise<{ executor: Executor; runs: Runs; close(): Promise<void> }> {
  const { steps, drivers, peers, wrap = (runs) => runs } = options;
  const state = createSqliteState(openDatabase(storeLocation("memory:")), systemClock);
  const live = createLive();
  const definitions = createDefinitions(state.catalog);
  await definitions.deploy([functionVersion({ id: "f", triggers: [{ event: "a/b" }], steps }, {}, 0)]);
  const executor = createExecutor({
    runs: wrap(state.runs),
    waits: state.waits,
    gates: state.gates,
    events: { readEvents: async () => [], settled: async () => 0, wake: async () => undefined },
    outbox: { check: () => [], publish: async () => undefined, find: async () => undefined },
    links: { addresses: async () => undefined },
    kin: {
      ended: async () => undefined,
      isOrphan: async () => false,
      cancel: async () => undefined,
    },
    unattended: undefined,
    host: "h1",
    peers: { holds: async () => "absent", handOver: async () => undefined, ...peers },
    definitions,
    drivers,
    clock: systemClock,
    random: Math.random,
    live,
    notices: createNotices(systemClock, live),
    admission: { admit: async () => ({ kind: "now" }), settle: async () => undefined },
    concurrency: {
      acquire: async () => ({ has: true }),
      release: async () => undefined,
      leaveQueue: () => undefined,
      recover: async () => [],
    },
    maxRuns: 10,
  });
  return {
    executor,
    runs: state.runs,
    async close() {
      await executor.close(0);
      await state.close();
    },
  };
}
