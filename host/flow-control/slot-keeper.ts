import type { Json } from "../../runtime/json.ts";
import type { Broker } from "../broker/broker.ts";
import type { Clock, Random } from "../clock.ts";
import type { Gates, Queues, Runs } from "../state/state.ts";
import { createDocuments, type Documents } from "./documents.ts";
import * as decide from "./slots.ts";

/** One limit, and a run. */
interface Asking {
  readonly runId: string;
  readonly revision: number;
  readonly key: string;
  readonly limit: number;
}

interface Taking extends Asking {
  readonly rank: number;
  readonly queued?: { readonly queue?: string; readonly place?: number } | undefined;
}

interface SlotKeeper {
  /** Resolves to undefined when the run has a slot, otherwise to its place in the queue. */
  take(asking: Taking): Promise<{ readonly queue: string; readonly place: number } | undefined>;
  giveBack(asking: Asking): Promise<void>;
  /** Takes note of a queue that may not be empty. */
  noteQueue(queue: string): Promise<void>;
}

interface SlotKeeperOptions {
  readonly gates: Gates;
  readonly queues: Queues;
  readonly runs: Pick<Runs, "load">;
  readonly wake: Broker["wake"];
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * Documents over which all keys are spread: each has the slots of many, so that changes which come at once share a write.
 * With more of them fewer do, with fewer of them hosts are in each other's way.
 */
const shards = 8;
/** Runs that are given a slot at once. */
const mostAtOnce = 100;
/** How often those that have the slots of a key are looked at because others wait, in milliseconds; and how many of them. */
const checkEveryMs = 5_000;
const mostChecked = 10;
/** Keys of which is remembered when that was. */
const rememberedChecks = 1_000;

type Shard = Record<string, decide.Slots>;

const always = (): boolean => true;
const never = (): boolean => false;

export function createSlotKeeper(options: SlotKeeperOptions): SlotKeeper {
  const { queues, runs, wake, clock } = options;
  const documents = createDocuments<Json>({ ...options, remembered: shards }) as unknown as Documents<
    Shard & Json
  >;
  const checked = new Map<string, number>();

  /** Changes the slots of a key in place: whatever goes wrong, the document is read anew. */
  const at = <R>(
    key: string,
    change: (slots: decide.Slots) => R,
    changes: (result: R) => boolean,
  ): Promise<R> =>
    documents.change(shardOf(key), (shard = {}) => {
      const slots = shard[key] ?? decide.noSlots();
      const result = change(slots);
      if (!changes(result)) return { result };
      if (decide.areUnused(slots)) delete shard[key];
      else (shard as Shard)[key] = slots;
      return { result, value: shard };
    });

  const takeFree = ({ key, runId: run, revision, limit }: Asking): Promise<boolean> =>
    at(
      key,
      (slots) => decide.take(slots, { run, revision, limit }),
      (taken) => taken,
    );

  /** Gives what is free to those who wait, in their order, and wakes all who may not know: all but `self`. */
  const promote = async (key: string, limit: number, self?: string): Promise<void> => {
    for (;;) {
      const { free, queued, told, next } = await at(key, (slots) => decide.standing(slots, limit), never);
      const others = told.filter((run) => run !== self);
      if (others.length > 0) {
        await Promise.all(others.map((run) => wake(run)));
        await at(key, (slots) => decide.noteWoken(slots, others), always);
      }
      if (free <= 0 || next === undefined) return;
      const { rank, after } = next;
      const first = await queues.next(queueOf(key, rank), after, Math.min(free, mostAtOnce));
      if (first.length === 0) await at(key, (slots) => decide.noteEmpty(slots, { rank, queued }), always);
      else await at(key, (slots) => decide.promote(slots, { limit, rank, after, first }), always);
    }
  };

  /** Whoever waits sees to it that those who have the slots are still there. */
  const check = async (key: string, limit: number): Promise<void> => {
    const now = clock.now();
    if ((checked.get(key) ?? 0) > now - checkEveryMs) return;
    checked.delete(key);
    checked.set(key, now);
    const [oldest] = checked.keys();
    if (checked.size > rememberedChecks && oldest !== undefined) checked.delete(oldest);
    const holders = await at(key, ({ has }) => Object.keys(has).slice(0, mostChecked), never);
    for (const run of holders) {
      const stored = await runs.load(run);
      if (stored !== undefined && stored.finishedAt === undefined) {
        // Whoever has it is asked whether it still does.
        await wake(run);
        continue;
      }
      const revision = stored?.revision ?? Number.MAX_SAFE_INTEGER;
      await at(key, (slots) => decide.giveBack(slots, { run, revision }), always);
    }
    await promote(key, limit);
  };

  return {
    async take(asking) {
      const { key, limit, runId, rank, queued } = asking;
      if (await takeFree(asking)) return undefined;
      const queue = queueOf(key, rank);
      const servedTo = await at(key, (slots) => decide.servedTo(slots, rank), never);
      const known = queued?.queue === queue ? queued.place : undefined;
      const waits = known !== undefined && servedTo !== undefined && known > servedTo;
      const place = waits ? known : await queues.add(queue, runId);
      // Only now: who gives a slot back from here on finds the run in the queue.
      await at(key, (slots) => decide.noteQueued(slots, { rank, place }), always);
      await promote(key, limit, runId);
      if (await at(key, ({ has }) => runId in has, never)) {
        if (await takeFree(asking)) {
          void queues.remove(queue, place).catch(() => undefined);
          return undefined;
        }
      }
      await check(key, limit);
      return { queue, place };
    },
    async giveBack({ key, limit, runId: run, revision }) {
      const follow = await at(
        key,
        (slots) => {
          const had = run in slots.has;
          decide.giveBack(slots, { run, revision });
          const waiting = slots.queues !== undefined || slots.told !== undefined;
          return { changed: had && !(run in slots.has), waiting };
        },
        ({ changed }) => changed,
      );
      if (follow.waiting) await promote(key, limit);
    },
    async noteQueue(queue) {
      const [key = "", rank] = queue.split("_");
      await at(key, (slots) => decide.noteQueued(slots, { rank: Number(rank), place: 1 }), always);
    },
  };
}

function queueOf(key: string, rank: number): string {
  return `${key}_${rank}`;
}

function shardOf(key: string): string {
  return `slots-${Number.parseInt(key.slice(0, 4), 16) % shards}`;
}
