import type { Json } from "../../runtime/json.ts";
import type { GateDocument, QueuedRun } from "../../host/state/state.ts";
import type { Scheduler } from "./scheduler.ts";

/** The documents of flow control of the simulated store; every operation is atomic. */
export interface ServerGates {
  load(key: string): GateDocument | undefined;
  store(key: string, value: Json, over: number | null, keepMs?: number): number | undefined;
}

export function createServerGates(scheduler: Pick<Scheduler, "now">): ServerGates {
  const documents = new Map<string, GateDocument & { readonly goesAt: number }>();
  let revisions = 0;
  const load: ServerGates["load"] = (key) => {
    const found = documents.get(key);
    if (found === undefined || found.goesAt <= scheduler.now()) return undefined;
    return { revision: found.revision, value: structuredClone(found.value) };
  };
  return {
    load,
    store(key, value, over, keepMs = Number.POSITIVE_INFINITY) {
      if ((load(key)?.revision ?? null) !== over) return undefined;
      revisions += 1;
      const goesAt = scheduler.now() + keepMs;
      documents.set(key, { revision: revisions, value: structuredClone(value), goesAt });
      return revisions;
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
