import type { Event } from "../event/event.ts";
import type { Definition } from "../function/definition.ts";
import type { RunHeader, Runs, StoredRun } from "../state/state.ts";
import type { Definitions } from "./definitions.ts";
import type { Notices } from "./notices.ts";
import { startRunLoop, type RunLoop, type RunLoopPorts } from "./run-loop.ts";
import { foldHistory, type RunView } from "./run-view.ts";
import { createSlots } from "./slots.ts";

/** The runs that this host holds in memory, a bounded number of them. */
export interface HeldRuns {
  /** Waits for room; what is acquired is given back by `release`, or passed on to `hold`. */
  acquire(): Promise<void>;
  release(): void;
  /** Begins to advance a run, in room that was acquired. */
  hold(header: RunHeader, definition: Definition, view: RunView & { readonly event: Event }): void;
  /** Has a run looked at: the one that is held, or the stored one, loaded. */
  wake(runId: string): Promise<void>;
  /** Resolves when no run is held any more. */
  empty(): Promise<void>;
}

interface HeldRunsOptions {
  readonly runs: Runs;
  readonly definitions: Definitions;
  readonly notices: Notices;
  readonly ports: RunLoopPorts;
  readonly maxRuns: number;
}

export function createHeldRuns({ runs, definitions, notices, ports, maxRuns }: HeldRunsOptions): HeldRuns {
  const slots = createSlots(maxRuns);
  /** A promise while a run is being loaded. */
  const held = new Map<string, RunLoop | Promise<void>>();

  const letGo = (id: string): void => {
    held.delete(id);
    slots.release();
  };

  const hold: HeldRuns["hold"] = (header, definition, view) => {
    const loop = startRunLoop(ports, header, definition, view);
    held.set(header.id, loop);
    void loop.released.catch(notices.storeError).finally(() => letGo(header.id));
  };

  /** Loads a run and holds it, if there is anything to do for it. */
  const take = async (id: string): Promise<void> => {
    try {
      const run = await runs.load(id);
      const runnable = run === undefined || run.finishedAt !== undefined ? undefined : await prepare(run);
      if (runnable === undefined) letGo(id);
      else hold(runnable.header, runnable.definition, runnable.view);
    } catch (error) {
      letGo(id);
      throw error;
    }
  };

  const prepare = async (run: StoredRun) => {
    const definition = await definitions.get(run.functionId, run.functionVersion);
    const view = foldHistory(run.history);
    const { event } = view;
    if (definition !== undefined && event !== undefined) {
      const { history: _, ...header } = run;
      return { header, definition, view: { ...view, event } };
    }
    const message = `Run ${run.id} can't go on: version ${run.functionVersion} of ${run.functionId} is not in the store.`;
    notices.add({ level: "error", code: "ERR_VERSION_MISSING", functionId: run.functionId, message });
    return undefined;
  };

  const wake = async (id: string): Promise<void> => {
    const holder = held.get(id);
    if (holder !== undefined) {
      if ("wake" in holder && holder.wake()) return;
      // It is being loaded, or being let go: whichever, it must be looked at once more after that.
      await ended(holder);
      return wake(id);
    }
    await slots.acquire();
    if (ports.draining() || held.has(id)) {
      slots.release();
      return ports.draining() ? undefined : wake(id);
    }
    const taken = take(id);
    held.set(id, taken);
    await taken;
  };

  return {
    acquire: () => slots.acquire(),
    release: () => slots.release(),
    hold,
    wake,
    async empty() {
      while (held.size > 0) await Promise.all([...held.values()].map(ended));
    },
  };
}

async function ended(holder: RunLoop | Promise<void>): Promise<void> {
  await ("wake" in holder ? holder.released : holder).catch(() => undefined);
}
