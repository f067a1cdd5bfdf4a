import type { Driver, RuntimeName } from "../runtime/driver.ts";
import { createSqliteBroker } from "./broker/sqlite.ts";
import { systemClock, type Clock, type Random } from "./clock.ts";
import { MillraceError } from "./errors.ts";
import { parseEvents } from "./event/batch.ts";
import { compileEventSchemas } from "./event/schemas.ts";
import { createDefinitions } from "./executor/definitions.ts";
import { createExecutor } from "./executor/executor.ts";
import { finished } from "./executor/finished.ts";
import { createNotices } from "./executor/notices.ts";
import { prepareSteps } from "./executor/readiness.ts";
import type { Host } from "./host.ts";
import { createLive } from "./live.ts";
import { openDatabase } from "./sqlite/database.ts";
import { storeLocation } from "./sqlite/location.ts";
import { createSqliteState } from "./state/sqlite.ts";
import type { State } from "./state/state.ts";

export type { Host } from "./host.ts";
export type { Driver } from "../runtime/driver.ts";
export { MillraceError } from "./errors.ts";
export { runId } from "./executor/run-id.ts";

/** How a host is put together. */
export interface HostConfig {
  /** "memory:" or "sqlite:<file>", with `?maxSize=<bytes>` if the file must not grow over that. */
  readonly store: string;
  /** Folder for what is compiled once and kept by digest; needed unless `drivers` are given. */
  readonly cacheDir?: string;
  /** The drivers in place of the built-in ones. */
  readonly drivers?: ReadonlyMap<RuntimeName, Driver>;
  /** Attempts that run at once in this process; the number of cores by default. */
  readonly parallelism?: number;
  /** Runs held in memory at once; 1,000 by default. */
  readonly maxRuns?: number;
  /** How long close() lets attempts under way go on, in milliseconds; 0 by default. */
  readonly graceMs?: number;
  readonly clock?: Clock;
  readonly random?: Random;
}

/** The composition root: opens the store, takes up what was left unfinished, and begins to consume. */
export async function createHost(config: HostConfig): Promise<Host> {
  const clock = config.clock ?? systemClock;
  const random = config.random ?? Math.random;
  const maxRuns = config.maxRuns ?? 1_000;
  const database = openDatabase(storeLocation(config.store));
  const broker = createSqliteBroker(database, clock);
  const state = createSqliteState(database);
  const live = createLive();
  const notices = createNotices(clock, live);
  const definitions = createDefinitions(state.catalog);
  const drivers = config.drivers ?? (await builtInDrivers(config, state));
  await definitions.load();
  const executor = createExecutor({
    runs: state.runs,
    definitions,
    drivers,
    clock,
    random,
    live,
    notices,
    maxRuns,
  });
  await broker.consumeEvents(({ event }) => executor.handle(event), { maxInFlight: maxRuns });
  await broker.consumeWakes((id) => executor.wake(id), { maxInFlight: maxRuns });
  const recovered = executor.recover().catch(notices.storeError);

  let schemas = compileEventSchemas({});
  let preparing: Promise<unknown> = Promise.resolve();
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    const consumed = broker.close();
    await executor.close(config.graceMs ?? 0);
    await Promise.all([consumed, recovered]);
    await Promise.all([...drivers.values()].map((driver) => driver.close()));
    await preparing;
    await state.close();
  };

  return {
    async publish(inputs) {
      if (closing !== undefined) throw new MillraceError("ERR_HOST_CLOSED", "The host is stopping.");
      const events = parseEvents(inputs, { now: clock.now(), random, schemas });
      const published = await broker.publish(events);
      if (live.observed) {
        const at = clock.now();
        for (const event of events) live.publish({ type: "event.stored", at, event });
      }
      return published;
    },
    async deploy(versions) {
      await definitions.deploy(versions);
      const prepared = versions.map(async ({ functionId, version }) => {
        const definition = await definitions.get(functionId, version);
        if (definition !== undefined) await prepareSteps(definition, drivers, notices);
      });
      // Not waited for: events are taken at once, and an attempt that comes first shares the work.
      preparing = Promise.all([preparing, ...prepared]).catch(notices.storeError);
    },
    remove: (functionId) => definitions.remove(functionId),
    setEventSchemas(byName) {
      schemas = compileEventSchemas(byName);
    },
    functions: () => definitions.active(),
    version: (functionId, version) => state.catalog.getVersion(functionId, version),
    notices: (functionId) => notices.list(functionId),
    putArtifact: (bytes) => state.artifacts.put(bytes),
    runs: state.runs,
    events: broker,
    live,
    finished: (runId, signal) => finished(runId, { runs: state.runs, live, signal }),
    close: () => (closing ??= close()),
  };
}

/** Loaded when needed: a host with drivers of its own spares itself the engines. */
async function builtInDrivers(config: HostConfig, state: State): Promise<ReadonlyMap<RuntimeName, Driver>> {
  const { createDrivers } = await import("../runtime/drivers.ts");
  return createDrivers({
    artifacts: (sha256) => state.artifacts.get(sha256),
    cacheDir: config.cacheDir ?? ".millrace/cache",
    ...(config.parallelism === undefined ? {} : { parallelism: config.parallelism }),
  });
}
