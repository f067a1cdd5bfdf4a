import type { RuntimeName } from "../../runtime/driver.ts";
import type { Broker, Consumer, Outcome } from "../../host/broker/broker.ts";
import type { ArmedWait, Runs, State } from "../../host/state/state.ts";
import type { Cluster, Store } from "../../host/store.ts";
import { createCatalog } from "./catalog.ts";
import { ask, call, tell, type Machine, type World } from "./machine.ts";
import type { Server } from "./server.ts";
import { leaseMs, type Item, type ServerQueue } from "./server-queue.ts";

/** The pause before an item whose handler rejected comes again, in milliseconds. */
const redeliveryMs = 1_000;

interface StoreOptions {
  readonly world: World;
  readonly server: Server;
  readonly machine: Machine;
  /** A machine by its name. */
  other(name: string): Machine | undefined;
}

/** The ports as one machine sees them: the shared store behind an unreliable network. */
export function createStore(options: StoreOptions): Store {
  return { broker: createBroker(options), state: createState(options), cluster: createCluster(options) };
}

function createBroker({ world, server, machine }: StoreOptions): Broker {
  const consumers: Consumer[] = [];
  const consume = <T>(queue: ServerQueue<T>, recipient: Consumption<T>): Promise<Consumer> => {
    const consumer = consumeQueue({ world, machine, queue, ...recipient });
    consumers.push(consumer);
    return Promise.resolve(consumer);
  };
  return {
    leased: true,
    publish: (events, catalog) =>
      call(world, machine, `publish ${events.map(({ id }) => id).join()}`, () =>
        events.map((event) => ({ id: event.id, duplicate: !server.publish(event, catalog) })),
      ),
    consumeEvents: (handle, { maxInFlight }) => consume(server.events, { handle, maxInFlight, runtimes: [] }),
    wake: (runId, runtime) =>
      call(world, machine, `wake ${runId} ${runtime ?? ""}`, () =>
        server.wakes.add(`wake ${runtime ?? ""} of ${runId}`, runId, runtime),
      ),
    consumeWakes: (handle, { maxInFlight, runtimes }) =>
      consume(server.wakes, { handle, maxInFlight, runtimes }),
    readEvents: ({ name, afterSeq = 0, limit }) =>
      call(world, machine, `read ${name} after ${afterSeq}`, () =>
        server.stored.filter((stored) => stored.event.name === name && stored.seq > afterSeq).slice(0, limit),
      ),
    settled: () => call(world, machine, "settled", () => server.settled()),
    readEvent: () => Promise.resolve(undefined),
    keeps: () => Promise.resolve(Number.POSITIVE_INFINITY),
    deadLetters: {
      count: async () => 0,
      list: async () => [],
      get: async () => undefined,
      resubmit: async () => false,
      discard: async () => false,
    },
    ready: () => call(world, machine, "ready", () => undefined),
    async close() {
      await Promise.all(consumers.map((consumer) => consumer.close()));
    },
  };
}

interface Consumption<T> {
  handle(payload: T, redelivered: boolean): Promise<Outcome>;
  readonly maxInFlight: number;
  readonly runtimes: readonly RuntimeName[];
}

interface ConsumeOptions<T> extends Consumption<T> {
  readonly world: World;
  readonly machine: Machine;
  readonly queue: ServerQueue<T>;
}

/** Keeps the lease of every item up for as long as its handler goes on, and says then what became of it. */
function consumeQueue<T>({ world, machine, queue, handle, ...limits }: ConsumeOptions<T>): Consumer {
  const { scheduler } = world;
  const underWay = new Set<Promise<void>>();
  let closed = false;

  const deliver = async (item: Item<T>, delivery: number): Promise<void> => {
    if (closed) return tell(world, machine, `back ${item.name}`, () => queue.back(item, 0));
    let ended = false;
    const beat = (): void => {
      if (ended) return;
      tell(world, machine, `holds ${item.name}`, () => queue.extend(item));
      scheduler.after(leaseMs / 3, beat, machine);
    };
    scheduler.after(leaseMs / 3, beat, machine);
    const late = scheduler.now() - item.addedAt > leaseMs / 2;
    const outcome = await handle(item.payload, late || delivery > 1).catch(() => undefined);
    ended = true;
    if (outcome === "lost") return undefined;
    if (outcome === "done") return tell(world, machine, `done ${item.name}`, () => queue.done(item));
    const delay = outcome === "back" || closed ? 0 : redeliveryMs;
    return tell(world, machine, `back ${item.name}`, () => queue.back(item, delay));
  };

  const recipient = {
    machine,
    ...limits,
    deliver(item: Item<T>, delivery: number): void {
      const work = deliver(item, delivery).finally(() => underWay.delete(work));
      underWay.add(work);
    },
  };
  queue.join(recipient);
  return {
    async close() {
      closed = true;
      tell(world, machine, "leaves", () => queue.leave(recipient));
      while (underWay.size > 0) await Promise.all(underWay);
    },
  };
}

function createState({ world, server, machine }: StoreOptions): State {
  const { name } = machine;
  // A client may know its own write again when it tries once more, or take it for another's.
  const remembers = world.chance.happens(0.5);
  let writes = 0;
  const request = <T>(what: string, effect: () => T): Promise<T> => call(world, machine, what, effect);
  /** First the timer: one that nobody needs does no harm. */
  const arm = async (runId: string, wakeAt: number | undefined): Promise<void> => {
    if (wakeAt === undefined) return;
    await request(`timer ${runId} ${wakeAt}`, () => server.setTimer(runId, wakeAt));
  };
  const runs: Runs = {
    async create(run, entries, update) {
      await arm(run.id, update.wakeAt);
      const next = await request(`create ${run.id}`, () => server.runs.create(name, run, entries, update));
      // It may have fired before the run was there.
      if (next !== undefined) await arm(run.id, update.wakeAt);
      return next;
    },
    async append(run, revision, entries, update) {
      const { wakeAt, keepsTimer = false } = update;
      if (!keepsTimer) await arm(run.id, wakeAt);
      const what = `append ${run.id} ${revision} ${update.status} ${entries.map(({ type }) => type).join()}`;
      const token = `${name} ${remembers ? JSON.stringify([revision, entries, update.status, wakeAt]) : ++writes}`;
      const { disarm = [], clears: _, keepsTimer: __, ...kept } = update;
      const next = await request(what, () => server.runs.append(name, token, run, revision, entries, kept));
      // Nobody waits for it.
      if (next !== undefined && disarm.length > 0) {
        tell(world, machine, `disarm ${run.id}`, () => server.waits.disarm(disarm));
      }
      return next;
    },
    load: (runId) => request(`load ${runId}`, () => server.runs.load(runId)),
    assign: (all, into) =>
      request(`assign ${all.map(({ eventId }) => eventId).join()} ${into}`, () =>
        all.map((own) => server.runs.assign(own, into)),
      ),
    reassign: (own, from, into) =>
      request(`reassign ${own.eventId} ${into}`, () => server.runs.assign(own, into, from)),
    assigned: (own) => request(`assigned ${own.eventId}`, () => server.runs.assignments.get(own.id)),
    query: ({ eventId }) =>
      request(`query ${eventId}`, () => ({
        runs: server.runs.ofEvent(eventId ?? "").map(({ header, update }) => ({ ...header, ...update })),
      })),
  };
  return {
    runs,
    unattended: undefined,
    waits: {
      declare: (eventName, path) =>
        request(`declare ${eventName} ${path}`, () => server.waits.declare(eventName, path)),
      paths: (eventName) => request(`paths ${eventName}`, () => server.waits.paths(eventName)),
      arm: (waits) => request(`arm ${waits.map(told).join()}`, () => server.waits.arm(waits)),
      disarm: (waits) => request(`disarm ${waits.map(told).join()}`, () => server.waits.disarm(waits)),
      find: (key, page) => request(`find ${key}`, () => server.waits.find(key, page)),
    },
    gates: {
      load: (key) => request(`load gate ${key}`, () => server.gates.load(key)),
      store: (key, value, over, keepMs) =>
        request(`store gate ${key} over ${over}`, () =>
          server.gates.store(machine, key, value, over, keepMs),
        ),
    },
    queues: {
      add: (queue, runId) => request(`queue ${runId} in ${queue}`, () => server.queues.add(queue, runId)),
      next: (queue, after, limit) =>
        request(`next of ${queue} after ${after}`, () => server.queues.next(queue, after, limit)),
      remove: (queue, place) => request(`take ${place} out`, () => server.queues.remove(queue, place)),
    },
    catalog: createCatalog({ world, server, machine }),
    artifacts: { put: async () => "", get: async () => undefined, has: async () => false },
    keyValues: {
      get: async () => undefined,
      set: async () => "full",
      delete: async () => undefined,
      keys: async () => ({ keys: [] }),
      increment: async () => "full",
    },
    close: async () => undefined,
  };
}

function createCluster({ world, machine, other }: StoreOptions): Cluster {
  return {
    holds: (host, runId, offered) => ask(world, machine, other(host), runId, offered),
    answer(nudge) {
      machine.nudge = nudge;
    },
    complete: async () => false,
    answerCompletions: () => undefined,
    live: (own) => own,
    async close() {
      machine.nudge = undefined;
    },
  };
}

function told({ runId, wait }: ArmedWait): string {
  return `${runId} ${wait}`;
}
