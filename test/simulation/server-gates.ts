import type { Json } from "../../runtime/json.ts";
import type { GateDocument, QueuedRun } from "../../host/state/state.ts";
import type { Slots } from "../../host/flow-control/slots.ts";
import type { Machine, World } from "./machine.ts";

/** The documents of flow control of the simulated store; every operation is atomic. */
export interface ServerGates {
  load(key: string): GateDocument | undefined;
  store(machine: Machine, key: string, value: Json, over: number | null, keepMs?: number): number | undefined;
  /** The runs that have a slot of a key; of any key, without one. */
  slotted(key?: string): ReadonlySet<string>;
  /** Whether the host that gave a run its slots crashed: whoever waits for one finds out that the run is over. */
  leftBehind(runId: string): boolean;
}

/** What the documents of slots hold, by key. */
function slotsIn(key: string, value: Json): [string, Slots][] {
  return key.startsWith("slots-") ? Object.entries(value as unknown as Record<string, Slots>) : [];
}

export function createServerGates({ scheduler, violated }: World, limit: number): ServerGates {
  const documents = new Map<string, GateDocument & { readonly goesAt: number }>();
  const givers = new Map<string, Set<Machine>>();
  let revisions = 0;
  const load: ServerGates["load"] = (key) => {
    const found = documents.get(key);
    if (found === undefined || found.goesAt <= scheduler.now()) return undefined;
    return { revision: found.revision, value: structuredClone(found.value) };
  };
  return {
    load,
    store(machine, key, value, over, keepMs = Number.POSITIVE_INFINITY) {
      const known = load(key);
      if ((known?.revision ?? null) !== over) return undefined;
      const before = new Map(slotsIn(key, known?.value ?? {}));
      for (const [slots, { has }] of slotsIn(key, value)) {
        const runs = Object.keys(has);
        for (const run of runs.filter((one) => before.get(slots)?.has[one] === undefined))
          givers.set(run, (givers.get(run) ?? new Set()).add(machine));
        if (runs.length > limit) violated(`${runs.join()} have the ${limit} slots of ${slots}`);
      }
      revisions += 1;
      const goesAt = scheduler.now() + keepMs;
      documents.set(key, { revision: revisions, value: structuredClone(value), goesAt });
      return revisions;
    },
    leftBehind: (runId) => [...(givers.get(runId) ?? [])].some(({ gone, closed }) => gone && !closed),
    slotted(wanted) {
      const all = [...documents].flatMap(([key, { value }]) => slotsIn(key, value));
      const of = all.filter(([key]) => wanted === undefined || key === wanted);
      return new Set(of.flatMap(([, { has }]) => Object.keys(has)));
    },
  };
}

/** The queues of the simulated store; every operation is atomic. */
export interface ServerQueues {
  add(queue: string, runId: string): number;
  next(queue: string, after: number, limit: number): readonly QueuedRun[];
  remove(queue: string, place: number): void;
}

export function createServerQueues(): ServerQueues {
  let entries: (QueuedRun & { readonly queue: string })[] = [];
  let places = 0;
  return {
    add(queue, runId) {
      places += 1;
      entries.push({ queue, runId, place: places });
      return places;
    },
    next: (queue, after, limit) =>
      entries.filter((entry) => entry.queue === queue && entry.place > after).slice(0, limit),
    remove(queue, place) {
      entries = entries.filter((entry) => entry.queue !== queue || entry.place !== place);
    },
  };
}
