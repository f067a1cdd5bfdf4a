import { hostname } from "node:os";
import type { Driver, RuntimeName } from "../runtime/driver.ts";
import type { Outcome } from "./broker/broker.ts";
import { createSqliteBroker } from "./broker/sqlite.ts";
import { systemClock, type Clock, type Random } from "./clock.ts";
import { MillraceError } from "./errors.ts";
import { parseEvents } from "./event/batch.ts";
import type { Event } from "./event/event.ts";
import { compileEventSchemas } from "./event/schemas.ts";
import { createDefinitions } from "./executor/definitions.ts";
import { createExecutor, type ExecutorOptions } from "./executor/executor.ts";
import { finished } from "./executor/finished.ts";
import type { Held } from "./executor/held-runs.ts";
import { createNotices } from "./executor/notices.ts";
import { prepareSteps } from "./executor/readiness.ts";
import type { FunctionVersion } from "./function/version.ts";
import type { Host } from "./host.ts";
import { createLive } from "./live.ts";
import { isNatsUrl, type NatsOptions } from "./nats/options.ts";
import { openDatabase } from "./sqlite/database.ts";
import { storeLocation } from "./sqlite/location.ts";
import { createSqliteState } from "./state/sqlite.ts";
import type { State } from "./state/state.ts";
import type { Store } from "./store.ts";

export type { Host } from "./host.ts";
export type { Driver } from "../runtime/driver.ts";
export { MillraceError } from "./errors.ts";
export { runId } from "./executor/run-id.ts";

/** How a host is put together. */
export interface HostConfig {
  /** "memory:" or "sqlite:<file>", with `?maxSize=<bytes>` if the file must not grow over that; or "nats://<server>[,<server>…]". */
  readonly store: string;
  /** This host's name among those of a shared store; must be unique. Made of the machine's name and chance by default. */
  readonly name?: string;
  /** How a nats:// store is reached and laid out. */
  readonly nats?: NatsOptions;
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
  const name = config.name ?? `${hostname()}-${random().toString(36).slice(2, 10)}`;
  let schemas = compileEventSchemas({});
  const accept = (input: unknown): Event => {
    const [event] = parseEvents([input], { now: clock.now(), random, schemas });
    if (event === undefined) throw new TypeError("one input gives one event");
    return event;
  };
  const { broker, state, cluster } = await openStore(config, { clock, name, accept });
  const ownLive = createLive();
  const live = cluster?.live(ownLive) ?? ownLive;
  const notices = createNotices(clock, ownLive);
  const definitions = createDefinitions(state.catalog);
  const drivers = config.drivers ?? (await builtInDrivers(config, state));
  const prepare = (version: FunctionVersion): Promise<void> =>
    ready(version, { definitions, drivers, notices });

  let preparing: Promise<unknown> = Promise.resolve();
  const reload = async (): Promise<void> => {
    schemas = compileEventSchemas(await state.catalog.schemas());
    const changed = await definitions.load();
    preparing = Promise.all([preparing, ...changed.map(prepare)]).catch(notices.storeError);
  };
  const watch = await state.catalog.watch(() => void reload().catch(notices.storeError));
  await reload();
  const executor = createExecutor({
    runs: state.runs,
    unattended: state.unattended,
    host: name,
    peers: cluster && { holds: cluster.holds, handOver: (id, runtime) => broker.wake(id, runtime) },
    definitions,
    drivers,
    clock,
    random,
    live: ownLive,
    notices,
    maxRuns,
  });
  cluster?.answer(executor.nudge);
  /** A leased item is this host's until the run is let go; otherwise it is done with once the run is stored and held. */
  const outcome = async (held: Promise<Held>): Promise<Outcome> => {
    const { released } = await held;
    return broker.leased ? released : "done";
  };
  const runtimes = [...drivers.keys()];
  await broker.consumeEvents(({ event }) => outcome(executor.handle(event)), { maxInFlight: maxRuns });
  await broker.consumeWakes((id) => outcome(executor.wake(id)), { maxInFlight: maxRuns, runtimes });
  const recovered = executor.recover().catch(notices.storeError);

  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    await watch.close();
    const consumed = broker.close();
    await executor.close(config.graceMs ?? 0);
    await Promise.all([consumed, recovered]);
    await Promise.all([...drivers.values()].map((driver) => driver.close()));
    await preparing;
    await cluster?.close();
    await state.close();
  };

  return {
    async publish(inputs) {
      if (closing !== undefined) throw new MillraceError("ERR_HOST_CLOSED", "The host is stopping.");
      const events = parseEvents(inputs, { now: clock.now(), random, schemas });
      const published = await broker.publish(events);
      if (ownLive.observed) {
        const at = clock.now();
        for (const event of events) ownLive.publish({ type: "event.stored", at, event });
      }
      return published;
    },
    async deploy(versions) {
      await definitions.deploy(versions);
      // Not waited for: events are taken at once, and an attempt that comes first shares the work.
      preparing = Promise.all([preparing, ...versions.map(prepare)]).catch(notices.storeError);
    },
    remove: (functionId) => definitions.remove(functionId),
    async setEventSchemas(byName) {
      const gone = Object.keys(await state.catalog.schemas()).filter(
        (known) => !Object.hasOwn(byName, known),
      );
      const compiled = compileEventSchemas(byName);
      await state.catalog.putSchemas({
        ...Object.fromEntries(gone.map((known) => [known, null])),
        ...byName,
      });
      schemas = compiled;
    },
    async addEventSchemas(byName) {
      const all = { ...(await state.catalog.schemas()), ...byName };
      const compiled = compileEventSchemas(all);
      await state.catalog.putSchemas(byName);
      schemas = compiled;
    },
    functions: () => definitions.active(),
    version: (functionId, version) => state.catalog.getVersion(functionId, version),
    notices: (functionId) => notices.list(functionId),
    putArtifact: (bytes) => state.artifacts.put(bytes),
    hasArtifact: (sha256) => state.artifacts.has(sha256),
    runs: state.runs,
    events: broker,
    deadLetters: broker.deadLetters,
    live,
    name,
    async ready() {
      if (closing !== undefined) throw new MillraceError("ERR_HOST_CLOSED", "The host is stopping.");
      await broker.ready();
    },
    finished: (runId, signal) => finished(runId, { runs: state.runs, live, signal, clock: cluster && clock }),
    close: () => (closing ??= close()),
  };
}

/** What a store is opened with besides the configuration. */
interface StoreNeeds {
  readonly clock: Clock;
  readonly name: string;
  /** Checks an event that was published straight to the broker. */
  accept(input: unknown): Event;
}

async function openStore(config: HostConfig, { clock, name, accept }: StoreNeeds): Promise<Store> {
  if (!isNatsUrl(config.store)) {
    const database = openDatabase(storeLocation(config.store));
    return { broker: createSqliteBroker(database, clock), state: createSqliteState(database) };
  }
  // Loaded when needed: an embedded host has no use for the client.
  const [{ openSession }, { createNatsBroker }, { createNatsState }, { createNatsCluster }] =
    await Promise.all([
      import("./nats/session.ts"),
      import("./broker/nats.ts"),
      import("./state/nats.ts"),
      import("./nats/cluster.ts"),
    ]);
  const session = await openSession(config.store, { ...config.nats, clock, name });
  return {
    broker: await createNatsBroker(session, accept),
    state: await createNatsState(session),
    cluster: createNatsCluster(session),
  };
}

/** Gets a function's steps ready; what can't run is noticed. */
async function ready(
  { functionId, version }: FunctionVersion,
  { definitions, drivers, notices }: Pick<ExecutorOptions, "definitions" | "drivers" | "notices">,
): Promise<void> {
  const definition = await definitions.get(functionId, version);
  if (definition !== undefined) await prepareSteps(definition, drivers, notices);
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
