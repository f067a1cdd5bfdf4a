import type { Json } from "../../runtime/json.ts";
import type { Broker } from "../broker/broker.ts";
import type { Clock, Random } from "../clock.ts";
import type { Definitions } from "../executor/definitions.ts";
import type { Notices } from "../executor/notices.ts";
import type { Event } from "../event/event.ts";
import type { Definition } from "../function/definition.ts";
import type { ConcurrencyLimit } from "../function/flow-control.ts";
import type { Gates, Queues, Runs, UnattendedRuns } from "../state/state.ts";
import { type Key, keyOf, valueOf } from "./key.ts";
import { createSlotKeeper } from "./slot-keeper.ts";

/** A run that asks for slots, or gives them back. */
interface SlotUser {
  readonly runId: string;
  readonly definition: Definition;
  readonly event: Event;
  /** The run's revision as its host knows it: of two hosts that think they have the run, the later one has the say. */
  readonly revision: number;
  /** It had its slots when its host, the only one there is, ended: it goes before all who wait. */
  readonly had?: boolean;
  /** Where it waits by its history. */
  readonly queued?: { readonly queue?: string; readonly place?: number } | undefined;
}

/** What becomes of a run that asked: all its slots, or a place in the queue for one of them. */
type Slotted =
  | { readonly has: true }
  | { readonly has: false; readonly reason: string; readonly queue: string; readonly place: number };

/** Gives slots to runs that want to execute steps, on all hosts of a store together. */
export interface Concurrency {
  /** Durable when it resolves; a run that asks again keeps what it has, and its place. */
  acquire(user: SlotUser): Promise<Slotted>;
  /** Gives back all slots that it took at this revision or before, and wakes those whose turn it is; `over`: for good. */
  release(user: SlotUser, over: boolean): Promise<void>;
  /** Takes a run that has its slots out of the queue in which it waited. */
  leaveQueue(queue: string, place: number): void;
  /** On a store without a server: takes note of the queues that were there; resolves to their first runs. */
  recover(): Promise<readonly string[]>;
}

interface ConcurrencyOptions {
  readonly gates: Gates;
  readonly queues: Queues;
  readonly unattended: Pick<UnattendedRuns, "queued"> | undefined;
  readonly runs: Pick<Runs, "load">;
  readonly definitions: Pick<Definitions, "current">;
  readonly wake: Broker["wake"];
  readonly notices: Pick<Notices, "expressionError" | "storeError">;
  readonly clock: Clock;
  readonly random: Random;
}

/** A limit, and where it counts a run. */
interface Counted extends Key {
  readonly functionId: string;
  readonly control: ConcurrencyLimit;
}

/** Priorities beyond these count as these. */
const highest = 1_000;

export function createConcurrency(options: ConcurrencyOptions): Concurrency {
  const { queues, unattended, definitions, notices } = options;
  const keeper = createSlotKeeper(options);

  const evaluate = (
    { definition, event }: SlotUser,
    expression: NonNullable<ConcurrencyLimit["key"]>,
  ): Json =>
    valueOf(expression, event, (source, evaluation) =>
      notices.expressionError(definition.id, source, evaluation),
    );

  const rankOf = (user: SlotUser): number => {
    if (user.had === true) return highest + 1;
    const { priority } = user.definition.flowControl ?? {};
    const value = priority === undefined ? 0 : evaluate(user, priority);
    return typeof value === "number" && Number.isInteger(value)
      ? Math.min(Math.max(value, -highest), highest)
      : 0;
  };

  /** A new version's limit holds from the next decision on, whatever version a run is of. */
  const limitNow = ({ id }: Definition, { limit, name, key }: ConcurrencyLimit): number => {
    const all = definitions.current(id)?.flowControl?.concurrency ?? [];
    const same = all.find(
      (other) => other.name === name && (name !== undefined || other.key?.source === key?.source),
    );
    return same?.limit ?? limit;
  };

  /** Where a run's limits are counted does not change while its host has it. */
  const counted = new WeakMap<Event, readonly Counted[]>();
  const countedIn = (user: SlotUser): readonly Counted[] => {
    const known = counted.get(user.event);
    if (known?.[0]?.functionId === user.definition.id) return known;
    const all = (user.definition.flowControl?.concurrency ?? []).map((control): Counted => {
      const { name, key } = control;
      const functionId = user.definition.id;
      const owner = name === undefined ? ["own", functionId, key?.source ?? ""] : ["shared", name];
      return { functionId, control, ...keyOf(owner, key && evaluate(user, key)) };
    });
    counted.set(user.event, all);
    return all;
  };

  const limitsOf = (user: SlotUser) =>
    countedIn(user).map(({ control, place, text }) => {
      const limit = limitNow(user.definition, control);
      const of = control.name === undefined ? "" : ` of ${control.name}`;
      return { key: place, limit, reason: `concurrency: ${limit} at once${of}${text}` };
    });

  const giveBack = async (user: SlotUser, limits: ReturnType<typeof limitsOf>): Promise<void> => {
    await Promise.all(limits.map(({ key, limit }) => keeper.giveBack({ ...user, key, limit })));
  };

  const leaveQueue = (queue: string, place: number): void => {
    queues.remove(queue, place).catch(notices.storeError);
  };

  return {
    leaveQueue,
    async acquire(user) {
      const limits = limitsOf(user);
      for (const [index, { key, limit, reason }] of limits.entries()) {
        const queued = await keeper.take({ ...user, key, limit, rank: rankOf(user) });
        if (queued === undefined) continue;
        // What it may have left of a later one, since its host ended while it gave them back, others may wait for.
        await giveBack(user, limits.slice(index + 1));
        return { has: false, reason, ...queued };
      }
      return { has: true };
    },
    async release(user, over) {
      await giveBack(user, limitsOf(user));
      const { queue, place } = user.queued ?? {};
      if (over && queue !== undefined && place !== undefined) leaveQueue(queue, place);
    },
    async recover() {
      const all = (await unattended?.queued()) ?? [];
      await Promise.all(all.map(({ queue }) => keeper.noteQueue(queue)));
      return all.map(({ runId }) => runId);
    },
  };
}
