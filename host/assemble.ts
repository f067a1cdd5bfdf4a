import type { Driver, RuntimeName } from "../runtime/driver.ts";
import type { Json } from "../runtime/json.ts";
import { missingSecrets, missingText, type Secrets } from "../runtime/secrets.ts";
import type { Broker, Outcome, StoredEvent } from "./broker/broker.ts";
import type { Clock, Random } from "./clock.ts";
import { createCompleting } from "./completing.ts";
import { createCompletions, type HeldCompletions, storeKey } from "./completions.ts";
import { MillraceError } from "./errors.ts";
import type { Intake } from "./event/intake.ts";
import { compileEventSchemas } from "./event/schemas.ts";
import { type Commands, createCommands } from "./executor/commands.ts";
import { createDefinitions } from "./executor/definitions.ts";
import { createExecutor, type Executor, type ExecutorOptions } from "./executor/executor.ts";
import { finished } from "./executor/finished.ts";
import type { Held } from "./executor/held-runs.ts";
import type { Concurrency } from "./flow-control/concurrency.ts";
import { createFlowControl } from "./flow-control/flow-control.ts";
import { createKin } from "./executor/kin.ts";
import { createNotices } from "./executor/notices.ts";
import { createOutbox } from "./executor/outbox.ts";
import { compileComponents, prepareSteps } from "./executor/readiness.ts";
import { type CatalogFollower, followCatalog } from "./follow-catalog.ts";
import { programsOf } from "./function/definition.ts";
import type { FunctionVersion } from "./function/version.ts";
import type { Host } from "./host.ts";
import { createLinking } from "./linking.ts";
import { createLinks } from "./links.ts";
import { createLive } from "./live.ts";
import { policed } from "./policy/policed.ts";
import { checkPolicy, policyProblems, type Policy } from "./policy/policy.ts";
import { redacted } from "./secrets/redacted.ts";
import { createScheduler } from "./schedule/scheduler.ts";
import type { Catalog, State } from "./state/state.ts";
import type { Store } from "./store.ts";

/** What a host is made of besides its store. */
export interface HostParts {
  /** Unique among the hosts of the store. */
  readonly name: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly drivers: ReadonlyMap<RuntimeName, Driver>;
  readonly intake: Intake;
  /** Where others reach this host; nowhere by default. */
  readonly callbackUrl?: string | Promise<string | undefined> | undefined;
  /** The attempts that wait for their receivers; none by default. */
  readonly completions?: HeldCompletions | undefined;
  /** What its operator lets steps have; all that documents ask for by default. */
  readonly policy?: Policy | undefined;
  /** The values of secrets, by name; none by default. */
  readonly secrets?: Secrets | undefined;
  /** Runs held in memory at once; 1,000 by default. */
  readonly maxRuns?: number | undefined;
  /** How long close() lets attempts under way go on, in milliseconds; 0 by default. */
  readonly graceMs?: number | undefined;
}

/** Puts a host together on an open store: takes up what was left unfinished, and begins to consume. */
export async function assembleHost({ broker, state, cluster }: Store, parts: HostParts): Promise<Host> {
  const { name, clock, random, intake, policy, secrets = new Map(), maxRuns = 1_000, graceMs = 0 } = parts;
  const { completions = createCompletions(undefined, storeKey(state.keyValues)) } = parts;
  const drivers = policed(redacted(parts.drivers, secrets), policy);
  const ownLive = createLive();
  const live = cluster?.live(ownLive) ?? ownLive;
  const notices = createNotices(clock, ownLive);
  const definitions = createDefinitions(state.catalog);
  const prepare = (version: FunctionVersion): Promise<void> =>
    ready(version, { definitions, drivers, notices, policy, secrets });

  const onError = notices.storeError;
  const scheduler = createScheduler({ clock, broker, catalog: state.catalog, onError });
  let preparing: Promise<unknown> = Promise.resolve();
  const taken = (changed: readonly FunctionVersion[]): void => {
    preparing = Promise.all([preparing, ...changed.map(prepare)]).catch(notices.storeError);
    scheduler.use(definitions.scheduled());
  };
  const follower = await followCatalog({
    catalog: state.catalog,
    clock,
    async load() {
      intake.use(compileEventSchemas(await state.catalog.schemas()));
      const changed = await definitions.load();
      taken(changed);
    },
    onError: notices.storeError,
  });
  const peers = cluster && {
    holds: cluster.holds,
    handOver: (id: string, runtime: RuntimeName) => broker.wake(id, runtime),
  };
  const { runs, waits, gates, unattended } = state;
  const shared = { runs, host: name, peers, definitions, clock, live: ownLive };
  const outbox = createOutbox({ broker, catalog: state.catalog, intake, clock, live: ownLive });
  const stored = { waits, gates, broker, events: broker, unattended, state, outbox };
  const links = createLinks({ gates, url: parts.callbackUrl });
  const own = { links, drivers, random, notices, maxRuns };
  const { executor, commands, concurrency } = createFlow({ ...shared, ...stored, ...own });
  cluster?.answer(executor.nudge);
  const completing = createCompleting({ host: name, completions, runs, live: ownLive, clock, cluster });
  cluster?.answerCompletions(completing.completeHere);
  const waiting = await concurrency.recover();
  await consume(broker, { executor, follower, runtimes: [...drivers.keys()], maxInFlight: maxRuns });
  const recovered = executor.recover(waiting).catch(notices.storeError);

  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    await follower.close();
    await scheduler.close();
    const consumed = broker.close();
    await executor.close(graceMs);
    completing.close();
    await Promise.all([consumed, recovered]);
    await Promise.all([...drivers.values()].map((driver) => driver.close()));
    await preparing;
    await cluster?.close();
    await state.close();
  };

  return {
    async publish(inputs) {
      if (closing !== undefined) throw new MillraceError("ERR_HOST_CLOSED", "The host is stopping.");
      const events = intake.events(inputs);
      const published = await broker.publish(events, state.catalog.newest());
      if (ownLive.observed) {
        const at = clock.now();
        for (const event of events) ownLive.publish({ type: "event.stored", at, event });
      }
      return published;
    },
    permit: (versions) => checkPolicy(policy, versions),
    precompile: (versions) => compileComponents(versions, drivers),
    async deploy(versions) {
      checkPolicy(policy, versions);
      await definitions.deploy(versions);
      // Not waited for: events are taken at once, and an attempt that comes first shares the work.
      taken(versions);
    },
    async remove(functionId) {
      await definitions.remove(functionId);
      taken([]);
    },
    nextAt: scheduler.nextAt,
    ...schemaChanges(state.catalog, intake),
    ...storeAccess(state),
    functions: () => definitions.active(),
    notices: (functionId) => notices.list(functionId),
    commands: { ...commands, rerun: async (id, event) => commands.rerun(id, intake.event(event)) },
    complete: completing.complete,
    events: broker,
    deadLetters: broker.deadLetters,
    live,
    name,
    async ready() {
      if (closing !== undefined) throw new MillraceError("ERR_HOST_CLOSED", "The host is stopping.");
      await broker.ready();
    },
    links: createLinking({ links, runs, definitions, commands, clock }),
    finished: (runId, signal) => finished(runId, { runs, live, signal, clock: cluster && clock }),
    close: () => (closing ??= close()),
  };
}

/** What advances runs, and what is asked of them: each needs the other. */
function createFlow(
  options: Omit<ExecutorOptions, "kin" | "admission" | "concurrency"> &
    Store & { readonly peers: ExecutorOptions["peers"] },
): { readonly executor: Executor; readonly commands: Commands; readonly concurrency: Concurrency } {
  const kin = createKin({ ...options, cancel: (id, reason) => commands.cancel(id, reason) });
  const commands = createCommands({ ...options, kin, nudge: (id) => executor.nudge(id) });
  const flow = createFlowControl({ ...options, cancel: commands.cancel });
  const executor = createExecutor({ ...options, ...flow, kin });
  return { executor, commands, concurrency: flow.concurrency };
}

/** What a host only passes on. */
function storeAccess({
  catalog,
  artifacts,
  runs,
}: State): Pick<Host, "eventSchemas" | "version" | "putArtifact" | "hasArtifact" | "runs"> {
  return {
    eventSchemas: () => catalog.schemas(),
    version: (functionId, version) => catalog.getVersion(functionId, version),
    putArtifact: (bytes) => artifacts.put(bytes),
    hasArtifact: (sha256) => artifacts.has(sha256),
    runs,
  };
}

/** Takes events and wakes from the broker. */
async function consume(
  broker: Broker,
  { executor, follower, runtimes, maxInFlight }: Consuming,
): Promise<void> {
  /** A leased item is this host's until the run is let go; otherwise it is done with once what it means is stored. */
  const outcome = async (held: Promise<Held>): Promise<Outcome> => {
    const { released, recorded } = await held;
    return broker.leased ? released : recorded();
  };
  /** An event meets at least the functions that its publisher knew. */
  const handle = async (stored: StoredEvent, redelivered: boolean): Promise<Outcome> => {
    await follower.caughtUp(stored.catalog);
    return outcome(executor.handle(stored, redelivered));
  };
  await broker.consumeEvents(handle, { maxInFlight });
  await broker.consumeWakes((id) => outcome(executor.wake(id)), { maxInFlight, runtimes });
}

interface Consuming {
  readonly executor: Executor;
  readonly follower: CatalogFollower;
  readonly runtimes: readonly RuntimeName[];
  readonly maxInFlight: number;
}

/** The host's ways to change event schemas: compiled first, since what can't be must not be stored. */
function schemaChanges(catalog: Catalog, intake: Intake): Pick<Host, "setEventSchemas" | "addEventSchemas"> {
  const put = async (kept: Readonly<Record<string, Json>>, changes: Readonly<Record<string, Json>>) => {
    const compiled = compileEventSchemas(kept);
    await catalog.putSchemas(changes);
    intake.use(compiled);
  };
  return {
    async setEventSchemas(byName) {
      const gone = Object.keys(await catalog.schemas()).map((name) => [name, null] as const);
      await put(byName, { ...Object.fromEntries(gone), ...byName });
    },
    async addEventSchemas(byName) {
      const all = Object.entries({ ...(await catalog.schemas()), ...byName });
      await put(Object.fromEntries(all.filter(([, schema]) => schema !== null)), byName);
    },
  };
}

/** Gets a function's steps ready; what can't run is noticed. */
async function ready(
  { functionId, version }: FunctionVersion,
  {
    definitions,
    drivers,
    notices,
    policy,
    secrets,
  }: Pick<ExecutorOptions, "definitions" | "drivers" | "notices"> & {
    readonly policy?: Policy | undefined;
    readonly secrets: Secrets;
  },
): Promise<void> {
  const definition = await definitions.get(functionId, version);
  if (definition === undefined) return;
  const breaches = programsOf(definition).flatMap((step) => policyProblems(policy, functionId, step));
  for (const { code, message } of breaches)
    notices.add({ level: "error", code, functionId, message: `It can't run: ${message}.` });
  for (const { id, program } of programsOf(definition)) {
    const missing = missingSecrets(program.capabilities ?? {}, secrets);
    if (missing.length === 0) continue;
    const message = `Step ${id} can't run: ${missingText(missing)}.`;
    notices.add({ level: "warn", code: "ERR_STEP_SECRET_MISSING", functionId, message });
  }
  await prepareSteps(definition, drivers, notices);
}
