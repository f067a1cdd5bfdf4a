import type { Outcome } from "../broker/broker.ts";
import type { Definition } from "../function/definition.ts";
import type { Runs, StoredRun } from "../state/state.ts";
import type { Definitions } from "./definitions.ts";
import type { Notices } from "./notices.ts";
import { startRunLoop, type RunLoop, type RunLoopPorts, type TakenRun } from "./run-loop.ts";
import { foldHistory, type RunView } from "./run-view.ts";
import { createSlots } from "./slots.ts";
import { transition } from "./transition.ts";

/** A run that this host holds, or has looked at. */
export interface Held {
  /** Resolves when the run is no longer held, and to what that means for whoever asked. */
  readonly released: Promise<Outcome>;
}

/** The runs that this host holds in memory, a bounded number of them. */
export interface HeldRuns {
  /** Waits for room; what is acquired is given back by `release`, or passed on to `begin`. */
  acquire(): Promise<void>;
  release(): void;
  /** Begins to advance a run that was just created, in room that was acquired. */
  begin(run: TakenRun): Promise<Held>;
  /** Has a run looked at: the one that is held, or the stored one, loaded. */
  wake(runId: string): Promise<Held>;
  /** True when this host holds the run, which it then looks at again. */
  nudge(runId: string): boolean;
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

/** How far the clock of a host may be behind that of the store's server, in milliseconds. */
const clockSkewMs = 60_000;

export function createHeldRuns({ runs, definitions, notices, ports, maxRuns }: HeldRunsOptions): HeldRuns {
  const { peers, host, clock } = ports;
  const slots = createSlots(maxRuns);
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
  const load = async (id: string): Promise<Held> => {
    try {
      const run = await runs.load(id);
      const taken = run === undefined ? "done" : await take(run);
      if (typeof taken !== "string") return hold(taken);
      letGo(id);
      return notHeld(taken);
    } catch (error) {
      letGo(id);
      throw error;
    }
  };

  /** Makes a stored run this host's own, unless it needs nothing or another host has it. */
  const take = async (run: StoredRun): Promise<TakenRun | Outcome> => {
    if (run.finishedAt !== undefined) return "done";
    const { history, revision, ...header } = run;
    const definition = await definitions.get(run.functionId, run.functionVersion);
    const view = foldHistory(history);
    const { event } = view;
    if (definition === undefined || event === undefined) {
      const message = `Run ${run.id} can't go on: version ${run.functionVersion} of ${run.functionId} is not in the store.`;
      notices.add({ level: "error", code: "ERR_VERSION_MISSING", functionId: run.functionId, message });
      return "done";
    }
    const taken = { header, definition, view: { ...view, event } };
    if (peers === undefined) return { ...taken, revision };
    if (run.status === "parked" && sleeps(definition, foldHistory(history))) {
      // This clock may be behind the one that fired the timer: then the wake must come once more.
      return run.wakeAt !== undefined && run.wakeAt - clock.now() <= clockSkewMs ? "lost" : "done";
    }
    const other = run.host === host ? undefined : run.host;
    if (other !== undefined && (await peers.holds(other, run.id))) return "lost";
    // From here on no other host can record anything for the run.
    const claimed = await runs.append(header, revision, [], { status: "running", host });
    return claimed === undefined ? "lost" : { ...taken, revision: claimed };
  };

  /** Whether nothing is to be done for a run for some time yet. `view` is spent. */
  const sleeps = (definition: Definition, view: RunView): boolean => {
    const now = clock.now();
    const { decided, execute, wakeAt } = transition(definition, view, { now, underWay: new Set() });
    const idle = decided.length === 0 && execute.length === 0;
    return idle && (wakeAt === undefined || wakeAt - now > ports.holdMs);
  };

  const wake = async (id: string): Promise<Held> => {
    const holder = held.get(id);
    if (holder !== undefined) {
      if ("wake" in holder && holder.wake()) return holder;
      // It is being loaded, or being let go: whichever, it must be looked at once more after that.
      await ended(holder);
      return wake(id);
    }
    await slots.acquire();
    if (ports.draining() || held.has(id)) {
      slots.release();
      return ports.draining() ? notHeld("back") : wake(id);
    }
    const loaded = load(id);
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
    nudge(id) {
      const holder = held.get(id);
      // One that is being loaded is about to be looked at.
      return holder !== undefined && (!("wake" in holder) || holder.wake());
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
  return { released: Promise.resolve(outcome) };
}

async function ended(holder: RunLoop | Promise<unknown>): Promise<void> {
  await ("wake" in holder ? holder.released : holder).catch(() => undefined);
}
