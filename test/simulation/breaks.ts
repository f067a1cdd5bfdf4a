import type { Outcome } from "../../host/broker/broker.ts";
import { createMemoryGates } from "../../host/flow-control/memory-gates.ts";
import type { Gates, Runs } from "../../host/state/state.ts";
import { withBroker, withRuns, withState, withWaits, type Break } from "./break.ts";
import { breaksOfFlows } from "./breaks-flows.ts";

/** What the simulation must find, each of them by itself. */
export const breaks: Readonly<Record<string, Break>> = {
  ...breaksOfFlows,
  "acknowledges events before their runs are settled": withBroker((broker) => ({
    consumeEvents: (handler, options) =>
      broker.consumeEvents(async (event, redelivered) => {
        void handler(event, redelivered).catch(() => undefined);
        return "done";
      }, options),
  })),
  "acknowledges wakes before their runs are settled": withBroker((broker) => ({
    consumeWakes: (handler, options) =>
      broker.consumeWakes(async (runId) => {
        void handler(runId).catch(() => undefined);
        return "done";
      }, options),
  })),
  "acknowledges a redelivered event when another host holds the run": withBroker((broker) => ({
    consumeEvents: (handler, options) =>
      broker.consumeEvents(async (event, redelivered) => kept(await handler(event, redelivered)), options),
  })),
  "acknowledges a redelivered wake when another host holds the run": withBroker((broker) => ({
    consumeWakes: (handler, options) =>
      broker.consumeWakes(async (runId) => kept(await handler(runId)), options),
  })),
  "takes what steps emit for published before it is": withBroker((broker) => ({
    publish(events, catalog) {
      if (!events.some(({ attributes }) => attributes?.["millracerun"] !== undefined)) {
        return broker.publish(events, catalog);
      }
      void broker.publish(events, catalog).catch(() => undefined);
      return Promise.resolve(events.map(({ id }) => ({ id, duplicate: false })));
    },
  })),
  "starts no run that a step invokes": withBroker((broker) => ({
    publish: async (events, catalog) =>
      events.some(({ attributes }) => attributes?.["millraceattempt"] !== undefined)
        ? events.map(({ id }) => ({ id, duplicate: false }))
        : broker.publish(events, catalog),
  })),
  "starts another run that a step invokes each time it is asked to": withBroker((broker) => {
    let times = 0;
    return {
      publish: (events, catalog) =>
        broker.publish(
          events.map((event) =>
            event.attributes?.["millraceattempt"] === undefined
              ? event
              : { ...event, id: `${event.id}.${times++}` },
          ),
          catalog,
        ),
    };
  }),
  "tells no redelivered event from a new one": withBroker((broker) => ({
    consumeEvents: (handler, options) => broker.consumeEvents((event) => handler(event, false), options),
  })),
  "drops the wake of a hand-over": withBroker(() => ({ wake: () => Promise.resolve() })),
  "takes a run without claiming it": withRuns((runs) => ({
    append: (run, revision, entries, update) =>
      entries.length === 0 && update.status === "running"
        ? Promise.resolve(revision)
        : runs.append(run, revision, entries, update),
  })),
  "takes a conflict for success": withRuns((runs) => ({
    append: async (run, revision, entries, update) =>
      (await runs.append(run, revision, entries, update)) ?? revision + 1,
  })),
  "writes behind whatever is there": withRuns((runs) => ({
    async append(run, revision, entries, update) {
      const appended = await runs.append(run, revision, entries, update);
      if (appended !== undefined) return appended;
      const stored = await runs.load(run.id);
      return stored && runs.append(run, stored.revision, entries, update);
    },
  })),
  "goes on before what happened is stored": withRuns((runs) => ({
    append(run, revision, entries, update) {
      void runs.append(run, revision, entries, update).catch(() => undefined);
      return Promise.resolve(revision + 1);
    },
  })),
  "takes a run that was there for a new one": withRuns((runs) => ({
    create: async (run, entries, update) => (await runs.create(run, entries, update)) ?? 1,
  })),
  "forgets the timers of parked runs": withRuns((runs) => ({
    append(run, revision, entries, { status, finishedAt, host }) {
      const rest = {
        ...(finishedAt === undefined ? {} : { finishedAt }),
        ...(host === undefined ? {} : { host }),
      };
      return runs.append(run, revision, entries, { status, ...rest });
    },
  })),
  "looks through the stored events before waits are armed": withWaits((waits) => ({
    arm(armed) {
      const late = async (): Promise<void> => {
        for (let i = 0; i < 20; i++) await waits.paths("some");
        await waits.arm(armed);
      };
      void late().catch(() => undefined);
      return Promise.resolve();
    },
  })),
  "sends an event into another run each time it comes": withRuns(() => ({
    assign: async (own, into) => own.map(({ functionVersion }) => ({ runId: into, functionVersion })),
  })),
  "has an event go on from a run whether that has it or not": withRuns((runs) => ({
    async assign(own, into) {
      const went = await runs.assign(own, into);
      const move = async (where: (typeof went)[number], index: number) =>
        where && runs.reassign(own[index]!, where.runId, into);
      return Promise.all(went.map(move));
    },
  })),
  "names a run of its own in place of another's": (store) => {
    const { gates } = store.state;
    const heedless: Gates["store"] = async (key, value, over, keepMs) => {
      if (!key.startsWith("c")) return gates.store(key, value, over, keepMs);
      for (;;) {
        const known = await gates.load(key);
        const revision = await gates.store(key, value, known?.revision ?? null, keepMs);
        if (revision !== undefined) return revision;
      }
    };
    return { ...store, state: { ...store.state, gates: { ...gates, store: heedless } } };
  },
  "does not look through the events that were stored before": withBroker((broker) => ({
    readEvents: async (filter) => (await broker.readEvents(filter)).slice(0, 0),
  })),
  "knows no paths of waits but those at first": withWaits((waits) => {
    const first = new Map<string, Promise<readonly string[]>>();
    return {
      paths(eventName) {
        const known = first.get(eventName) ?? waits.paths(eventName);
        first.set(eventName, known);
        return known;
      },
    };
  }),
  "finds the first page of waits alone": withWaits((waits) => ({
    find: async (key, page) => ({ waits: (await waits.find(key, page)).waits }),
  })),
  "takes every event for settled": withBroker(() => ({
    settled: () => Promise.resolve(Number.MAX_SAFE_INTEGER),
  })),
  "disarms a wait as soon as it has ended": (store) => {
    const { runs, waits } = store.state;
    const append: Runs["append"] = async (run, revision, entries, update) => {
      const appended = await runs.append(run, revision, entries, update);
      if (appended === undefined || update.status !== "running") return appended;
      const history = (await runs.load(run.id).catch(() => undefined))?.history ?? [];
      const over = new Set(entries.flatMap((entry) => ("wait" in entry ? [entry.wait] : [])));
      for (const entry of history) {
        if (entry.type !== "wait.armed" || entry.key === undefined || !over.has(entry.wait)) continue;
        void waits.disarm([{ ...entry, key: entry.key, runId: run.id }]).catch(() => undefined);
      }
      return appended;
    };
    return { ...store, state: { ...store.state, runs: { ...runs, append } } };
  },
  "takes a change of a document that it lost for won": withState(({ gates }) => ({
    gates: {
      ...gates,
      store: async (key, value, over, keepMs) =>
        (await gates.store(key, value, over, keepMs)) ?? (over ?? 0) + 1,
    },
  })),
  "keeps what flow control remembers to itself": withState(() => ({ gates: createMemoryGates() })),
  "forgets who waits for a slot": withState(({ queues }) => ({
    queues: { ...queues, add: () => Promise.resolve(1) },
  })),
  "finds nobody who waits for a slot": withState(({ queues }) => ({
    queues: { ...queues, next: () => Promise.resolve([]) },
  })),
  "wakes nobody whose turn has come": withBroker((broker) => ({
    wake: (runId, runtime) => (runtime === undefined ? Promise.resolve() : broker.wake(runId, runtime)),
  })),
  "asks no other host whether it holds a run": (store) => ({
    ...store,
    cluster: { ...store.cluster!, holds: () => Promise.resolve("absent" as const) },
  }),
  "hears of no other host's deployments": (store) => ({
    ...store,
    state: {
      ...store.state,
      catalog: { ...store.state.catalog, watch: () => Promise.resolve({ close: () => Promise.resolve() }) },
    },
  }),
};

function kept(outcome: Outcome): Outcome {
  return outcome === "lost" ? "done" : outcome;
}
