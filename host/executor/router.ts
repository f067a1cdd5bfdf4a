import type { Outcome, StoredEvent } from "../broker/broker.ts";
import type { Waits } from "../state/state.ts";
import { notHeld, type Held, type HeldRuns } from "./held-runs.ts";
import { createSlots } from "./slots.ts";
import { keysOf } from "../run/wait-key.ts";

/** Brings stored events to the runs that wait for them. */
export interface Router {
  /** Resolves when every run that waits for the event has been offered it. */
  route(stored: StoredEvent): Promise<Held>;
}

interface RouterOptions {
  readonly waits: Pick<Waits, "paths" | "find" | "disarm">;
  readonly held: Pick<HeldRuns, "wake">;
  onError(error: unknown): void;
}

/** Waits that are read at once. */
const pageSize = 500;
/** Runs that one event is offered to at once; other events have room beside it. */
const offersAtOnce = 100;

const nobody = notHeld("done");

export function createRouter({ waits, held, onError }: RouterOptions): Router {
  /** An armed wait of a run that is over: what should have taken it away was lost. */
  const tidy = (key: string, runId: string, wait: string): void => {
    waits.disarm([{ key, runId, wait, until: 0 }]).catch(onError);
  };

  /** One event may wake any number of runs: it goes from page to page, and to some runs at a time. */
  const offer = async (stored: StoredEvent, keys: readonly string[]): Promise<Held> => {
    const room = createSlots(offersAtOnce);
    let underWay = 1;
    const recorded = createTally();
    const released = createTally();

    const offerTo = async (key: string, runId: string, wait: string): Promise<void> => {
      try {
        const run = await held.wake(runId, stored);
        if (run.over === true) tidy(key, runId, wait);
        released.add(run.released);
        recorded.add(Promise.resolve(await run.recorded()));
      } catch (error) {
        recorded.add(Promise.reject(error));
        released.add(Promise.reject(error));
      } finally {
        room.release();
        end();
      }
    };
    const end = (): void => {
      underWay -= 1;
      if (underWay > 0) return;
      recorded.end();
      released.end();
    };
    for (const key of keys) {
      let last: string | undefined;
      for (let after: string | undefined; ;) {
        const page = await waits.find(key, { limit: pageSize, ...(after === undefined ? {} : { after }) });
        for (const { runId, wait } of page.waits) {
          // The waits of one run mostly lie together; it takes an event once.
          if (runId === last) continue;
          last = runId;
          underWay += 1;
          await room.acquire();
          void offerTo(key, runId, wait);
        }
        after = page.next;
        if (after === undefined) break;
      }
    }
    end();
    return { released: released.all, recorded: () => recorded.all };
  };

  return {
    async route(stored) {
      const paths = await waits.paths(stored.event.name);
      const keys = paths.length === 0 ? [] : keysOf(stored.event, paths);
      return keys.length === 0 ? nobody : offer(stored, keys);
    },
  };
}

/** What an event comes to that went to several runs. */
export function worse(one: Outcome, other: Outcome): Outcome {
  if (one === "back" || other === "back") return "back";
  return one === "lost" ? one : other;
}

/** What so many outcomes come to, of which none is kept. */
function createTally(): {
  add(outcome: Promise<Outcome>): void;
  end(): void;
  readonly all: Promise<Outcome>;
} {
  const { promise: all, resolve, reject } = Promise.withResolvers<Outcome>();
  // Whoever waits hears of it.
  all.catch(() => undefined);
  let open = 1;
  let so: Outcome = "done";
  const end = (): void => {
    open -= 1;
    if (open === 0) resolve(so);
  };
  return {
    all,
    end,
    add(outcome) {
      open += 1;
      outcome.then((how) => {
        so = worse(so, how);
        return end();
      }, reject);
    },
  };
}
