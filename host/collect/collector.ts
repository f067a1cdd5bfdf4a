import { createHash } from "node:crypto";
import type { Json } from "../../runtime/json.ts";
import type { StoredEvent } from "../broker/broker.ts";
import type { Definition } from "../function/definition.ts";
import {
  createCollectLine,
  type CollectingFunction,
  type CollectItem,
  type CollectLine,
  type CollectLineOptions,
} from "./collect-line.ts";
import { sizeOf } from "../run/collecting.ts";
import type { Definitions } from "../executor/definitions.ts";
import { headerOf } from "../run/header.ts";
import { eventScope, joins } from "../run/match.ts";
import { lateEntry } from "../run/turn.ts";
import type { Notices } from "../executor/notices.ts";

/** Has events go into runs that collect them. */
export interface Collector {
  /**
   * Resolves once the event is in a run, durably: "own" where that is one of its own, which was there before. Undefined
   * where it is not to be collected.
   */
  take(definition: Definition, stored: StoredEvent): Promise<"collected" | "own" | undefined>;
  /** Has an event that was assigned to such a run before go on to one; false where it was not. */
  goOn(definition: Definition, stored: StoredEvent): Promise<boolean>;
  /** Resolves when nothing is under way. */
  idle(): Promise<void>;
}

interface CollectorOptions extends Omit<CollectLineOptions, "elsewhere"> {
  readonly definitions: Pick<Definitions, "get">;
  readonly notices: Notices;
}

interface Queue {
  readonly line: CollectLine;
  readonly definition: CollectingFunction;
  waiting: CollectItem[];
  busy: boolean;
}

/** Events that go into a run with one write, at most, and how large they are together, as characters of JSON. */
const mostAtOnce = 500;
const largestAtOnce = 512 * 1024;
/** Queues that are remembered while nothing comes: their runs are not read anew. */
const remembered = 1_000;

/** A queue for each version of a function and each key: what comes while a write is under way goes with the next one. */
export function createCollector(options: CollectorOptions): Collector {
  const { runs, definitions, clock, notices } = options;
  const queues = new Map<string, Queue>();
  const underWay = new Set<Promise<void>>();

  const queueOf = (definition: CollectingFunction, { event }: StoredEvent): Queue => {
    const key = keyOf(definition, event, notices);
    const text = JSON.stringify([definition.id, definition.version, key ?? null, key === undefined]);
    const name = `c${createHash("sha256").update(text).digest("hex").slice(0, 40)}`;
    const queue = queues.get(name) ?? {
      line: createCollectLine({ ...options, elsewhere }, { definition, name, key }),
      definition,
      waiting: [],
      busy: false,
    };
    queues.delete(name);
    queues.set(name, queue);
    return queue;
  };

  const forgetIdle = (): void => {
    for (const [name, { busy }] of queues) {
      if (queues.size <= remembered) return;
      if (!busy) queues.delete(name);
    }
  };

  const join = (queue: Queue, stored: StoredEvent): Promise<"collected" | "own"> =>
    new Promise((resolve, reject) => {
      const { event } = stored;
      const own = headerOf(queue.definition, event, clock.now());
      queue.waiting.push({ stored, id: event.id, size: sizeOf(event), own, resolve, reject });
      if (queue.busy) return;
      queue.busy = true;
      const working = work(queue).finally(() => underWay.delete(working));
      underWay.add(working);
    });

  const work = async (queue: Queue): Promise<void> => {
    while (queue.waiting.length > 0) {
      const group = together(queue.waiting);
      queue.waiting = queue.waiting.slice(group.length);
      try {
        await queue.line.place(group);
      } catch (error) {
        for (const { settled, reject } of group) if (settled !== true) reject(error);
      }
    }
    queue.busy = false;
    forgetIdle();
  };

  async function elsewhere(item: CollectItem, version: string): Promise<void> {
    const { functionId } = item.own;
    const definition = await definitions.get(functionId, version);
    if (definition === undefined || !collects(definition)) {
      item.reject(new Error(`version ${version} of ${functionId}, which has the event, is not in the store`));
      return;
    }
    void join(queueOf(definition, item.stored), item.stored).then(item.resolve, item.reject);
  }

  return {
    async take(definition, stored) {
      if (!collects(definition) || !joins(definition, stored.event, notices)) return undefined;
      const late = lateEntry(definition, stored.storedAt, clock.now());
      return late === undefined ? join(queueOf(definition, stored), stored) : undefined;
    },
    async goOn(definition, stored) {
      const assignment = await runs.assigned(headerOf(definition, stored.event, clock.now()));
      if (assignment === undefined) return false;
      const version = await definitions.get(definition.id, assignment.functionVersion);
      if (version === undefined || !collects(version)) return false;
      await join(queueOf(version, stored), stored);
      return true;
    },
    async idle() {
      while (underWay.size > 0) await Promise.all(underWay);
    },
  };
}

function collects(definition: Definition): definition is CollectingFunction {
  return definition.collects !== undefined;
}

/** What an event has in common with others; undefined where the function has no key. One that gives nothing counts as null. */
function keyOf(
  { id, collects: { key } }: CollectingFunction,
  event: StoredEvent["event"],
  notices: Pick<Notices, "expressionError">,
): Json | undefined {
  if (key === undefined) return undefined;
  const evaluation = key.value(eventScope(event));
  if (evaluation.kind === "value") return evaluation.value;
  if (evaluation.kind === "error") notices.expressionError(id, key.source, evaluation);
  return null;
}

/** As many of the first as go into one write. */
function together(waiting: readonly CollectItem[]): readonly CollectItem[] {
  let size = 0;
  const end = waiting.findIndex((item, index) => {
    size += item.size;
    return index > 0 && (index >= mostAtOnce || size > largestAtOnce);
  });
  return waiting.slice(0, end === -1 ? waiting.length : end);
}
