import { hostname } from "node:os";
import type { Driver, RuntimeName } from "../runtime/driver.ts";
import type { Completions } from "../runtime/http/completions.ts";
import type { Secrets } from "../runtime/secrets.ts";
import type { HostServices } from "../runtime/wasm/host-calls.ts";
import type { EngineChoice } from "../runtime/wasm/choice.ts";
import { assembleHost } from "./assemble.ts";
import { createSqliteBroker } from "./broker/sqlite.ts";
import { systemClock, type Clock, type Random } from "./clock.ts";
import { createCompletions, storeKey } from "./completions.ts";
import { createStateDeployer, type Deployer } from "./deployer.ts";
import { MillraceError } from "./errors.ts";
import type { Event } from "./event/event.ts";
import { createIntake } from "./event/intake.ts";
import type { Host, StoreKind } from "./host.ts";
import { isNatsUrl, type NatsOptions } from "./nats/options.ts";
import type { Policy } from "./policy/policy.ts";
import { openDatabase } from "./sqlite/database.ts";
import { storeLocation } from "./sqlite/location.ts";
import { createSqliteState } from "./state/sqlite.ts";
import type { State } from "./state/state.ts";
import type { Store } from "./store.ts";

export type { Deployer } from "./deployer.ts";
export type { Host } from "./host.ts";
export type { Driver } from "../runtime/driver.ts";
export { MillraceError } from "./errors.ts";
export { runId } from "./run/run-id.ts";

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
  /** Of the drivers, serve these alone; all by default, or on a shared store all that can run steps here. */
  readonly runtimes?: readonly RuntimeName[];
  /** Attempts that run at once in this process; the number of cores by default. */
  readonly parallelism?: number;
  /** What executes Wasm steps; "auto" by default: wasmtime where it loads, v8 else. */
  readonly engine?: EngineChoice;
  /** Fuel that each attempt of a Wasm step gets, counted on wasmtime alone; what it used is recorded. Not counted by default. */
  readonly fuel?: number;
  /** Runs held in memory at once; 1,000 by default. */
  readonly maxRuns?: number;
  /** How long close() lets attempts under way go on, in milliseconds; 0 by default. */
  readonly graceMs?: number;
  /** What its operator lets steps have; all that documents ask for by default. */
  readonly policy?: Policy;
  /** The values of secrets, by name; none by default. */
  readonly secrets?: Secrets;
  /** How requests of steps find and trust servers; as the operating system and Node do by default. */
  readonly egress?: Pick<HostServices, "resolve" | "ca">;
  /** Where receivers of HTTP steps reach this host's API, to complete what they accepted; nowhere by default. */
  readonly callbackUrl?: string | Promise<string | undefined>;
  readonly clock?: Clock;
  readonly random?: Random;
}

/** The composition root: opens the store and puts a host together on it. */
export async function createHost(config: HostConfig): Promise<Host> {
  const clock = config.clock ?? systemClock;
  const random = config.random ?? Math.random;
  const name = config.name ?? `${hostname()}-${random().toString(36).slice(2, 10)}`;
  const intake = createIntake(clock, random);
  const store = await openStore(config, { clock, name, accept: intake.event });
  const completions = createCompletions(config.callbackUrl, storeKey(store.state.keyValues));
  const closeStore = async (): Promise<void> => {
    await store.broker.close();
    await store.cluster?.close();
    await store.state.close();
  };
  const builtIn = (): Promise<ReadonlyMap<RuntimeName, Driver>> =>
    builtInDrivers(config, store.state, completions).catch(async (error: unknown) => {
      await closeStore();
      throw error;
    });
  const all = config.drivers ?? (await builtIn());
  const { runtimes } = config;
  const isShared = isNatsUrl(config.store);
  const drivers = await chosenDrivers(all, { runtimes, isShared }).catch(async (error: unknown) => {
    await Promise.all([...all.values()].map((driver) => driver.close()));
    await closeStore();
    throw error;
  });
  const { maxRuns, graceMs, policy, secrets } = config;
  const { callbackUrl } = config;
  const parts = {
    callbackUrl,
    name,
    clock,
    random,
    drivers,
    intake,
    completions,
    policy,
    secrets,
    maxRuns,
    graceMs,
  };
  const host = await assembleHost(store, parts);
  const engine = drivers.get("wasm")?.engine;
  const setup = { store: storeKind(config.store), runtimes: [...drivers.keys()], ...(engine && { engine }) };
  return { ...host, setup };
}

/** Opens a store to put functions into it, with nothing consumed and nothing run. */
export async function openDeployer(config: Pick<HostConfig, "store" | "nats" | "name">): Promise<Deployer> {
  const name = config.name ?? `push-${hostname()}-${Math.random().toString(36).slice(2, 10)}`;
  const store = await openStore(config, { clock: systemClock, name, accept: unused });
  const deployer = createStateDeployer(store.state);
  return {
    ...deployer,
    async close() {
      await store.broker.close();
      await store.cluster?.close();
      await deployer.close();
    },
  };
}

function unused(): never {
  throw new TypeError("nothing is consumed");
}

function storeKind(store: string): StoreKind {
  if (isNatsUrl(store)) return "nats";
  return store.startsWith("sqlite:") ? "sqlite" : "memory";
}

/**
 * Keeps the drivers that are wanted and closes the others. Of those that nobody named, a host that shares its store
 * keeps only what can run steps here and now: others take the rest. Throws ERR_RUNTIME_UNKNOWN, and what keeps a
 * runtime that was named from being served.
 */
async function chosenDrivers(
  all: ReadonlyMap<RuntimeName, Driver>,
  { runtimes, isShared }: { readonly runtimes: HostConfig["runtimes"]; readonly isShared: boolean },
): Promise<ReadonlyMap<RuntimeName, Driver>> {
  const unknown = (runtimes ?? []).filter((runtime) => !all.has(runtime));
  if (unknown.length > 0) {
    const known = [...all.keys()].join(", ");
    throw new MillraceError(
      "ERR_RUNTIME_UNKNOWN",
      `There is no driver for ${unknown.join(", ")} here; there is one for ${known}.`,
    );
  }
  const chosen = new Map<RuntimeName, Driver>();
  for (const [name, driver] of all) {
    if (runtimes?.includes(name) === false) continue;
    const isNamed = runtimes !== undefined;
    const unable = isNamed || isShared ? await driver.check?.() : undefined;
    if (unable === undefined) chosen.set(name, driver);
    else if (isNamed) {
      const message = `Steps of runtime ${name} can't be run here: ${unable.message}`;
      throw new MillraceError("ERR_RUNTIME_UNSERVED", message);
    }
  }
  const others = [...all.values()].filter(({ name }) => !chosen.has(name));
  await Promise.all(others.map((driver) => driver.close()));
  return chosen;
}

/** What a store is opened with besides the configuration. */
interface StoreNeeds {
  readonly clock: Clock;
  readonly name: string;
  /** Checks an event that was published straight to the broker. */
  accept(input: unknown): Event;
}

async function openStore(
  config: Pick<HostConfig, "store" | "nats">,
  { clock, name, accept }: StoreNeeds,
): Promise<Store> {
  if (!isNatsUrl(config.store)) {
    const database = openDatabase(storeLocation(config.store));
    return { broker: createSqliteBroker(database, clock), state: createSqliteState(database, clock) };
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
  try {
    return {
      broker: await createNatsBroker(session, accept),
      state: await createNatsState(session),
      cluster: createNatsCluster(session),
    };
  } catch (error) {
    await session.close();
    throw error;
  }
}

/** Loaded when needed: a host with drivers of its own spares itself the engines. */
async function builtInDrivers(
  config: HostConfig,
  state: State,
  completions: Completions,
): Promise<ReadonlyMap<RuntimeName, Driver>> {
  const { createDrivers } = await import("../runtime/drivers.ts");
  return createDrivers({
    artifacts: (sha256) => state.artifacts.get(sha256),
    cacheDir: config.cacheDir ?? ".millrace/cache",
    ...(config.parallelism === undefined ? {} : { parallelism: config.parallelism }),
    ...(config.engine === undefined ? {} : { engine: config.engine }),
    ...(config.fuel === undefined ? {} : { fuel: config.fuel }),
    ...(config.secrets === undefined ? {} : { secrets: config.secrets }),
    completions,
    services: { keyValues: state.keyValues, ...config.egress },
  });
}
