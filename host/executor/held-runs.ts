import type { Outcome, StoredEvent } from "../broker/broker.ts";
import type { Runs } from "../state/state.ts";
import { claimRun } from "./claim.ts";
import type { Definitions } from "./definitions.ts";
import type { Notices } from "./notices.ts";
import type { Nudged } from "./peers.ts";
import { startRunLoop, type RunLoop } from "./run-loop.ts";
import { releaseStored } from "./release-stored.ts";
import type { RunLoopPorts, TakenRun } from "./run-loop-ports.ts";
import { foldHistory } from "../run/run-view.ts";
import { createSlots } from "./slots.ts";

/** A run that this host holds, or has looked at. */
export interface Held {
  /** Resolves when the run is no longer held, and to what that means for whoever asked. */
  readonly released: Promise<Outcome>;
  /** Resolves when what the run was offered is decided on, and that is stored; otherwise to how the run was let go. */
  recorded(): Promise<Outcome>;
  /** The run has finished, or is not there. */
  readonly over?: boolean;
}

/** The runs that this host holds in memory, a bounded number of them. */
export interface HeldRuns {
  /** Waits for room; what is acquired is given back by `release`, or passed on to `begin`. */
  acquire(): Promise<void>;
  release(): void;
  /** Begins to advance a run that was just created, in room that was acquired. */
  begin(run: TakenRun): Promise<Held>;
  /** Has a run looked at, the one that is held or the stored one, loaded; or offered an event that it may wait for. */
  wake(runId: string, offered?: StoredEvent): Promise<Held>;
  /** The same of a run that this host holds, and no other. */
  nudge(runId: string, offered?: StoredEvent): Nudged;
  /** Has all runs looked at, and resolves when none is held any more. */
  empty(): Promise<void>;
}

interface HeldRunsOptions {
  readonly runs: Runs;
  readonly definitions: Definitions;
  readonly notices: Notices;
  readonly ports: RunLoopPorts;
  readonly maxRuns: number;
}

/** How often a run is looked at anew that somebody adds to while it is claimed. */
const mostTries = 5;

export function createHeldRuns({ runs, definitions, notices, ports, maxRuns }: HeldRunsOptions): HeldRuns {
  const { peers } = ports;
  const slots = createSlots(maxRuns);
  ports.stopping.addEventListener("abort", () => {
    for (const holder of held.values()) if ("wake" in holder) holder.cutOff();
  });
  /** A promise while a run is being loaded. */
  const held = new Map<string, RunLoop | Promise<unknown>>();

  const letGo = (id: string): void => {
    held.delete(id);
    slots.release();
  };

  const hold = (run: TakenRun): Held => {
    const { id } = run.header;
    const loop = startRunLoop(ports, run);
    held.set(id, loop);
    void loop.released.catch(notices.storeError).finally(() => letGo(id));
    return loop;
  };

  /** Loads a run and holds it, if there is anything to do for it. */
  const load = async (id: string, offered: StoredEvent | undefined): Promise<Held> => {
    try {
      for (let tries = 1; ; tries += 1) {
        const run = await runs.load(id);
        const over = run === undefined || run.finishedAt !== undefined;
        // Whoever ended it may not have come to this.
        if (over && run !== undefined) await ports.kin.ended(foldHistory(run.history));
        if (over && run !== undefined) await releaseStored(run, { ...ports, definitions, over });
        const taken = over ? "done" : await claimRun(run, offered, { runs, definitions, ports });
        if (typeof taken !== "string") return hold(taken);
        if (taken === "raced" && tries < mostTries) continue;
        letGo(id);
        return { ...notHeld(taken === "raced" ? "lost" : taken), over };
      }
    } catch (error) {
      letGo(id);
      throw error;
    }
  };

  const wake = async (id: string, offered?: StoredEvent): Promise<Held> => {
    const holder = held.get(id);
    if (holder !== undefined) {
      const nudged = nudgeHolder(holder, offered);
      if ("wake" in holder && nudged === "held") return holder;
      // What a host thinks of a run that was taken from it does not count.
      if ("wake" in holder && nudged === "unwanted" && (peers === undefined || (await holder.confirm())))
        return notHeld("done");
      // It is being loaded, or being let go: whichever, it must be looked at once more after that.
      await ended(holder);
      return wake(id, offered);
    }
    await slots.acquire();
    if (ports.draining() || held.has(id)) {
      slots.release();
      return ports.draining() ? notHeld("back") : wake(id, offered);
    }
    const loaded = load(id, offered);
    held.set(id, loaded);
    return loaded;
  };

  return {
    acquire: () => slots.acquire(),
    release: () => slots.release(),
    async begin(run) {
      const { id } = run.header;
      if (!held.has(id)) return hold(run);
      // Its event came twice, and the second time was quicker: it found the run in the store, and has claimed it.
      slots.release();
      return wake(id);
    },
    wake,
    nudge(id, offered) {
      const holder = held.get(id);
      if (holder === undefined || "wake" in holder) {
        return holder === undefined ? "absent" : nudgeHolder(holder, offered);
      }
      // One that is being loaded is about to be looked at; what it is offered it gets then.
      if (offered !== undefined) void wake(id, offered).catch(notices.storeError);
      return "held";
    },
    async empty() {
      while (held.size > 0) {
        for (const holder of held.values()) if ("wake" in holder) holder.wake();
        await Promise.all([...held.values()].map(ended));
      }
    },
  };
}

/** A run that needs nothing of this host, or that it must not take. */
export function notHeld(outcome: Outcome): Held {
  const told = Promise.resolve(outcome);
  return { released: told, recorded: () => told };
}

async function ended(holder: RunLoop | Promise<unknown>): Promise<void> {
  await ("wake" in holder ? holder.released : holder).catch(() => undefined);
}

/** Looks into the store as well: whoever asks may have added to the run, or have taken it. */
function nudgeHolder(holder: RunLoop | Promise<unknown>, offered: StoredEvent | undefined): Nudged {
  if (!("wake" in holder)) return "absent";
  if (offered === undefined) {
    void holder.confirm();
    return holder.wake() ? "held" : "absent";
  }
  const answer = holder.offer(offered);
  if (answer === "unwanted") return answer;
  return answer === "taken" ? "held" : "absent";
}
