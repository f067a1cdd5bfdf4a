import type { Store } from "../../host/store.ts";
import type { FunctionVersion } from "../../host/function/version.ts";
import { createChance, type Chance } from "./chance.ts";
import { allNames, eventNames, randomControls, randomVersion, runtimes } from "./documents.ts";
import { createExecutions } from "./driver.ts";
import { isCalm, planFaults, scheduleFaults } from "./faults.ts";
import { createFleet, type Fleet } from "./fleet.ts";
import { checkStore, takes } from "./invariants.ts";
import type { Machine, World } from "./machine.ts";
import { createScheduler } from "./scheduler.ts";
import { createServer, type Server } from "./server.ts";
import { createTrace } from "./trace.ts";

export interface SimulationOptions {
  /** Keeps every line of the trace. */
  readonly trace?: boolean;
  /** Stands between a host and its store, to break something on purpose. */
  readonly wrap?: (store: Store, machine: Machine) => Store;
}

/** What came of one seed. */
export interface Report {
  readonly seed: number;
  /** Broken invariants; none is right. */
  readonly violations: readonly string[];
  /** The same for the same seed. */
  readonly traceHash: string;
  readonly trace: readonly string[];
  readonly events: number;
  readonly runs: number;
  readonly executions: number;
  readonly tasks: number;
  readonly calm: boolean;
}

/** How long faults go on, and how long everything may take to come to rest after that, in simulated milliseconds. */
const troubleMs = 60_000;
const restMs = 24 * 3_600_000;

/** Runs a cluster of hosts on a simulated store from beginning to end; everything in it follows from the seed. */
export async function simulate(seed: number, options: SimulationOptions = {}): Promise<Report> {
  const chance = createChance(seed);
  const violations: string[] = [];
  const trace = createTrace(options.trace === true);
  const scheduler = createScheduler(chance);
  const world: World = {
    scheduler,
    chance,
    trace,
    weather: { loss: 0, late: 0, twice: 0, uneven: 0, spread: chance.pick([2, 20, 400]) },
    violated(what) {
      trace.add(`${scheduler.now()} VIOLATED ${what}`);
      if (violations.length < 20) violations.push(what);
    },
  };
  const limit = chance.pick([1, 1, 2]);
  const server = createServer(world, limit);
  const executions = createExecutions();
  const maxRuns = chance.pick([1, 3, 100]);
  const fleet = createFleet({
    world,
    server,
    executions,
    runtimes: randomRuntimes(chance),
    maxRuns,
    slow: chance.pick([0, 0, 0.1]),
    failing: chance.pick([0, 0.1, 0.4]),
    meddle: (runId) => clients.meddle(runId),
    wrap: options.wrap,
  });
  const plan = planFaults(chance);
  const beginning = scheduler.now();
  const functions = Array.from({ length: chance.between(1, 3) }, (_, i) => `f${i}`);
  const controls = new Map(functions.map((id) => [id, randomControls(chance, limit)]));
  const versionOf = (id: string, at: number) => randomVersion(chance, id, at, controls.get(id));
  for (const id of functions) activate(server, versionOf(id, beginning));
  scheduleFaults(world, fleet, plan, troubleMs);
  for (const slot of fleet.slots) fleet.start(slot);
  const clients = createClients(world, fleet, server, versionOf);
  for (let i = chance.between(1, 10); i > 0; i--)
    clients.publish(chance.below(troubleMs), chance.pick(allNames));
  for (let i = chance.pick([0, 0, 1, 2]); i > 0; i--)
    clients.deploy(chance.below(troubleMs), chance.pick(functions));
  for (let i = chance.pick([0, 0, 1, 3]); i > 0; i--) clients.command(chance.below(troubleMs));

  if (
    server.active().some(({ document }) => document.batch !== undefined || document.debounce !== undefined)
  ) {
    // Some come together, so that there is something to collect.
    for (let i = chance.between(3, 8); i > 0; i--) {
      const [at, name] = [chance.below(troubleMs), chance.pick(eventNames)];
      for (let n = chance.between(1, 5); n > 0; n--) clients.publish(at + chance.below(3_000), name);
    }
  }

  await scheduler.run({ until: beginning + troubleMs });
  clients.leaveAlone();
  Object.assign(world.weather, { loss: 0, late: 0, twice: 0, uneven: 0 });
  fleet.heal();
  clients.resumeAll(10);
  const atRest = (): boolean =>
    clients.busy === 0 &&
    server.runs.open + server.events.pending + server.wakes.pending + server.timers === 0;
  const rest = async (): Promise<void> => {
    const rested = await scheduler.run({ until: scheduler.now() + restMs, done: atRest });
    if (!rested) {
      const left = [
        clients.busy,
        server.runs.open,
        server.events.pending,
        server.wakes.pending,
        server.timers,
      ];
      world.violated(`it does not come to rest: clients, runs, events, wakes, timers: ${left.join()}`);
    }
    // What was late comes even so.
    await scheduler.run({ until: scheduler.now() + 60_000 });
  };
  await rest();

  // By now every host knows the active versions: new runs are theirs.
  const before = server.stored.length;
  for (const name of eventNames) clients.publish(0, name);
  await rest();
  checkLatest(server, before, world.violated);

  const closing = Promise.all(fleet.slots.map((slot) => fleet.drain(slot)));
  let closed = false;
  void closing.then(() => (closed = true));
  await scheduler.run({ until: scheduler.now() + 60_000 });
  if (!closed) world.violated("a host does not close");
  const calm = isCalm(plan);
  checkStore(server, world.violated, calm && maxRuns > 10);
  if (calm) {
    for (const [key, times] of executions.counts) {
      if (times > 1) world.violated(`${key} was executed ${times} times, and nothing went wrong`);
    }
  }
  let executed = 0;
  for (const times of executions.counts.values()) executed += times;
  return {
    seed,
    violations,
    traceHash: trace.hash(),
    trace: trace.lines,
    events: server.stored.length,
    runs: server.runs.records.size,
    executions: executed,
    tasks: scheduler.tasks,
    calm,
  };
}

/** Two to four hosts; each runtime has at least one. */
function randomRuntimes(chance: Chance) {
  const hosts = chance.between(2, 4);
  const all = Array.from({ length: hosts }, () => runtimes.filter(() => chance.happens(0.6)));
  for (const runtime of runtimes) {
    if (!all.some((names) => names.includes(runtime))) all[chance.below(hosts)]!.push(runtime);
  }
  return all;
}

function activate(server: Server, version: FunctionVersion): void {
  server.versions.set(`${version.functionId}@${version.version}`, version);
  server.activate(version.functionId, version.version);
}

/** Those outside who publish and deploy: they ask one host after another until one has answered. */
function createClients(
  world: World,
  fleet: Fleet,
  server: Server,
  versionOf: (id: string, at: number) => FunctionVersion,
) {
  const { scheduler, chance, trace } = world;
  let busy = 0;
  let published = 0;
  /** How often a run is paused or cancelled in the midst of its items, or of what is undone. */
  let meddling = 0.05;

  const insist = (attempt: () => Promise<unknown> | undefined): void => {
    let over = false;
    const again = (): void => {
      if (over) return undefined;
      scheduler.after(chance.between(500, 2_000), () => {
        if (!over) once();
      });
    };
    const once = (): void => {
      const asked = attempt();
      if (asked === undefined) return again();
      // A host that is gone never answers.
      const giveUp = scheduler.after(10_000, again);
      void asked.then(
        () => {
          giveUp();
          if (!over) busy -= 1;
          return (over = true);
        },
        () => {
          giveUp();
          again();
          return false;
        },
      );
    };
    once();
  };
  const anyHost = () => {
    const { host, machine } = chance.pick(fleet.slots);
    return machine.gone || machine.paused ? undefined : host;
  };

  return {
    get busy() {
      return busy;
    },
    publish(delay: number, name: string): void {
      busy += 1;
      const event = {
        id: `e${++published}`,
        name,
        data: { large: chance.happens(0.5), key: chance.below(2) },
      };
      scheduler.after(delay, () =>
        insist(() =>
          anyHost()
            ?.publish([event])
            .then(() => trace.add(`${scheduler.now()} ${event.id} is accepted`)),
        ),
      );
    },
    /** Cancels a run, or pauses it; one that is over by then stays so. */
    command(delay: number): void {
      busy += 1;
      const what = chance.happens(0.3) ? "cancel" : "pause";
      scheduler.after(delay, () => {
        const ids = [...server.runs.records.keys()];
        if (ids.length === 0) return void (busy -= 1);
        const id = chance.pick(ids);
        return insist(() => anyHost()?.commands[what](id).catch(unlessOver));
      });
    },
    /** Has a run paused or cancelled, now and then: one that does something just now. */
    meddle(runId: string): void {
      if (!chance.happens(meddling)) return;
      busy += 1;
      const what = chance.happens(0.4) ? "cancel" : "pause";
      scheduler.after(chance.below(3_000), () =>
        insist(() => anyHost()?.commands[what](runId).catch(unlessOver)),
      );
      if (what === "cancel" || chance.happens(0.5)) return;
      busy += 1;
      scheduler.after(chance.between(500, 20_000), () =>
        insist(() => anyHost()?.commands.resume(runId).catch(unlessOver)),
      );
    },
    leaveAlone(): void {
      meddling = 0;
    },
    /** Resumes what is paused, again and again: a host may do what it was asked long after its client gave up. */
    resumeAll(times: number): void {
      if (times === 0) return;
      for (const [id, { history, update }] of server.runs.records) {
        const last = history.findLast(({ type }) => type === "run.paused" || type === "run.resumed");
        if (last?.type !== "run.paused" || update.finishedAt !== undefined) continue;
        busy += 1;
        insist(() => anyHost()?.commands.resume(id).catch(unlessOver));
      }
      scheduler.after(30_000, () => this.resumeAll(times - 1));
    },
    /** Deploys another version, or removes the function. */
    deploy(delay: number, functionId: string): void {
      busy += 1;
      const removes = chance.happens(0.3);
      const version = versionOf(functionId, scheduler.now() + delay);
      scheduler.after(delay, () =>
        insist(() =>
          removes ? anyHost()?.remove(functionId) : anyHost()?.deploy([version]).catch(unlessInvoking),
        ),
      );
    },
  };
}

/** What a version invokes may have been removed. */
function unlessInvoking(error: unknown): void {
  if ((error as { code?: string }).code !== "ERR_FUNCTION_INVOKE") throw error;
}

function unlessOver(error: unknown): void {
  if ((error as { code?: string }).code !== "ERR_RUN_STATE") throw error;
}

/** The events since `from` have runs of the versions that are active now, and no others. */
function checkLatest(server: Server, from: number, violated: (what: string) => void): void {
  const active = server.active();
  for (const { event } of server.stored.slice(from)) {
    const has = server.runs
      .ofEvent(event.id)
      .map(({ header }) => `${header.functionId}@${header.functionVersion}`);
    const should = active
      .filter((version) => takes(version, event))
      .map(({ functionId, version }) => `${functionId}@${version}`);
    if (has.toSorted().join() !== should.toSorted().join()) {
      violated(`event ${event.id} has runs of ${has.join()}, and ${should.join()} is active`);
    }
  }
}
