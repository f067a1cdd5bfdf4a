import type { Broker } from "../broker/broker.ts";
import type { Clock } from "../clock.ts";
import type { CronTrigger } from "../function/cron.ts";
import type { Catalog } from "../state/state.ts";
import { due } from "./due.ts";
import { firing } from "./firing.ts";
import { standing } from "./standing.ts";

/** A function with its schedules, and since when they hold. */
export interface Scheduled {
  readonly functionId: string;
  readonly activatedAt: number;
  readonly triggers: readonly CronTrigger[];
}

interface SchedulerOptions {
  readonly clock: Clock;
  readonly broker: Pick<Broker, "publish" | "readEvents" | "keeps">;
  readonly catalog: Pick<Catalog, "newest">;
  /** Hears of a store that fails; it is asked again. */
  readonly onError: (error: unknown) => void;
}

/** Publishes an event for each firing of a schedule. */
export interface Scheduler {
  /** From now on these schedules hold. */
  use(scheduled: readonly Scheduled[]): void;
  /** When the function's next firing is due; undefined when there is none, or it is not known yet. */
  nextAt(functionId: string): number | undefined;
  /** Resolves when nothing is being published any more. */
  close(): Promise<void>;
}

interface Entry {
  readonly functionId: string;
  readonly activatedAt: number;
  readonly trigger: CronTrigger;
  /** The last firing that is dealt with; undefined: what is stored says. */
  after: number | undefined;
  nextAt: number;
}

/** Events of one schedule published at once, where many were missed. */
const batch = 500;
/** The pause before a store that failed is asked again, in milliseconds. */
const retryDelay = 1_000;

/**
 * Every host publishes every firing, under an id that the function, the schedule and the time give: the first one counts,
 * and none has to lead. A host that begins finds in the stored events where the schedule stands.
 */
export function createScheduler({ clock, broker, catalog, onError }: SchedulerOptions): Scheduler {
  let entries = new Map<string, Entry>();
  let cancel: (() => void) | undefined;
  let working: Promise<void> | undefined;
  let changed = false;
  let closed = false;

  const work = async (): Promise<void> => {
    while (changed && !closed) {
      changed = false;
      await attendAll();
    }
    // At once, not a tick later: a start in between must not be lost.
    working = undefined;
    if (closed) return;
    let nextAt = Number.POSITIVE_INFINITY;
    for (const entry of entries.values()) nextAt = Math.min(nextAt, entry.nextAt);
    if (Number.isFinite(nextAt)) cancel = clock.schedule(nextAt, start);
  };
  const start = (): void => {
    changed = true;
    cancel?.();
    cancel = undefined;
    if (!closed) working ??= Promise.resolve().then(work);
  };

  const attendAll = async (): Promise<void> => {
    for (const entry of entries.values()) {
      if (closed) return;
      if (entry.nextAt <= clock.now()) await attend(entry);
    }
  };

  /** Publishes what is due of one schedule; on a failure nothing has changed but the time of the next try. */
  const attend = async (entry: Entry): Promise<void> => {
    const { functionId, trigger } = entry;
    try {
      entry.after ??= await standing(entry, { clock, broker });
      const { fire, upTo, nextAt } = due(functionId, trigger, {
        after: entry.after,
        now: clock.now(),
        most: batch,
      });
      if (fire.length > 0) {
        await broker.publish(
          fire.map((at) => firing(functionId, trigger, at)),
          catalog.newest(),
        );
      }
      entry.after = upTo;
      entry.nextAt = nextAt ?? Number.POSITIVE_INFINITY;
    } catch (error) {
      entry.nextAt = clock.now() + retryDelay;
      onError(error);
    }
  };

  return {
    use(scheduled) {
      const next = new Map<string, Entry>();
      for (const { functionId, activatedAt, triggers } of scheduled) {
        for (const trigger of triggers) {
          const { pattern, timezone, missed, jitterMs } = trigger;
          const key = JSON.stringify([functionId, pattern, timezone, missed, jitterMs]);
          const known = entries.get(key);
          next.set(key, known ?? { functionId, activatedAt, trigger, after: undefined, nextAt: 0 });
        }
      }
      entries = next;
      start();
    },
    nextAt(functionId) {
      const own = [...entries.values()].filter((entry) => entry.functionId === functionId);
      const nextAt = Math.min(...own.filter(({ after }) => after !== undefined).map((entry) => entry.nextAt));
      return Number.isFinite(nextAt) ? nextAt : undefined;
    },
    async close() {
      closed = true;
      cancel?.();
      await working;
    },
  };
}
