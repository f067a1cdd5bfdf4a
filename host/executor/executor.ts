import type { Driver, RuntimeName } from "../../runtime/driver.ts";
import type { Clock, Random } from "../clock.ts";
import type { Event } from "../event/event.ts";
import type { Definition } from "../function/definition.ts";
import type { Live } from "../live.ts";
import type { RunHeader, Runs, StoredRun } from "../state/state.ts";
import type { Definitions } from "./definitions.ts";
import type { HistoryEntry } from "./history.ts";
import { matches, userId } from "./match.ts";
import type { Notices } from "./notices.ts";
import { runId } from "./run-id.ts";
import { startRunLoop, type RunLoop, type RunLoopPorts } from "./run-loop.ts";
import { emptyView, applyEntry, foldHistory, type RunView } from "./run-view.ts";
import { createSlots } from "./slots.ts";
import { startTimers } from "./timers.ts";

export interface ExecutorOptions {
  readonly runs: Runs;
  readonly definitions: Definitions;
  readonly drivers: ReadonlyMap<RuntimeName, Driver>;
  readonly clock: Clock;
  readonly random: Random;
  readonly live: Live;
  readonly notices: Notices;
  /** Runs held in memory at once, at most. */
  readonly maxRuns: number;
}

/** Starts runs and advances them. */
export interface Executor {
  /** Starts a run of every active function that the event triggers; resolves when all are stored. */
  handle(event: Event): Promise<void>;
  /** Has a stored run looked at; resolves once this host holds it, or it needs nothing. */
  wake(runId: string): Promise<void>;
  /** Takes up the runs that a host left when it ended. */
  recover(): Promise<void>;
  /** Starts nothing new, gives what is under way `graceMs` to end, and then cuts it off; its runs go on later. */
  close(graceMs: number): Promise<void>;
}

/** Orphans that are read at once. */
const orphanPage = 500;

export function createExecutor(options: ExecutorOptions): Executor {
  const { runs, definitions, clock, notices } = options;
  const slots = createSlots(options.maxRuns);
  const stopping = new AbortController();
  /** Runs in memory; a promise while one is being loaded. */
  const held = new Map<string, RunLoop | Promise<void>>();
  let closing = false;

  const report = (error: unknown): void =>
    notices.add({ level: "error", code: "ERR_STORE_UNAVAILABLE", message: String(error) });
  const timers = startTimers({ runs, clock, wake: (id) => wake(id), onError: report });
  const ports: RunLoopPorts = {
    runs,
    drivers: options.drivers,
    clock,
    random: options.random,
    live: options.live,
    notices,
    armed: (wakeAt) => timers.armed(wakeAt),
    draining: () => closing,
    stopping: stopping.signal,
  };

  const hold = (
    header: RunHeader,
    definition: Definition,
    view: RunView & { readonly event: Event },
  ): void => {
    const loop = startRunLoop(ports, header, definition, view);
    held.set(header.id, loop);
    void loop.released.catch(report).finally(() => release(header.id));
  };
  const release = (id: string): void => {
    held.delete(id);
    slots.release();
  };

  const start = async (definition: Definition, event: Event): Promise<void> => {
    const header = headerOf(definition, event, clock.now());
    const started: HistoryEntry = { type: "run.started", at: header.createdAt, event };
    await slots.acquire();
    try {
      if (closing || (await runs.create(header, [started], { status: "running" })) === "exists") {
        slots.release();
        return;
      }
    } catch (error) {
      slots.release();
      throw error;
    }
    if (options.live.observed) {
      const { id, functionId, createdAt: at } = header;
      options.live.publish({ type: "history", at, runId: id, functionId, entry: started, seq: 1 });
    }
    const view = emptyView();
    applyEntry(view, started);
    hold(header, definition, { ...view, event });
  };

  const wake = async (id: string): Promise<void> => {
    const holder = held.get(id);
    if (holder !== undefined) {
      if ("wake" in holder && holder.wake()) return;
      // It is being loaded, or being let go: whichever, it must be looked at once more after that.
      await ("wake" in holder ? holder.released : holder).catch(() => undefined);
      return wake(id);
    }
    await slots.acquire();
    if (closing || held.has(id)) {
      slots.release();
      return closing ? undefined : wake(id);
    }
    const taken = take(id);
    held.set(id, taken);
    await taken;
  };

  /** Loads a run and holds it, if there is anything to do for it. */
  const take = async (id: string): Promise<void> => {
    try {
      const run = await runs.load(id);
      const runnable = run === undefined || run.finishedAt !== undefined ? undefined : await prepared(run);
      if (runnable === undefined) release(id);
      else hold(runnable.header, runnable.definition, runnable.view);
    } catch (error) {
      release(id);
      throw error;
    }
  };

  const prepared = async (run: StoredRun) => {
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

  return {
    async handle(event) {
      if (closing) throw new Error("The executor is closing.");
      const triggered = definitions.triggeredBy(event.name).filter((definition) =>
        matches(definition, event, (source, evaluation) => {
          const detail = evaluation.kind === "value" ? "" : evaluation.message;
          const functionId = definition.id;
          notices.add({
            level: "warn",
            code: "ERR_EXPRESSION_TYPE",
            functionId,
            message: `${source}: ${detail}`,
          });
        }),
      );
      await Promise.all(triggered.map((definition) => start(definition, event)));
      if (closing) throw new Error("The executor is closing.");
    },
    wake,
    async recover() {
      let last: string | undefined;
      for (;;) {
        const orphans = await runs.orphans(last, orphanPage);
        for (const id of orphans) await wake(id);
        last = orphans.at(-1);
        if (orphans.length < orphanPage || closing) return;
      }
    },
    async close(graceMs) {
      closing = true;
      await timers.close();
      const cancel = clock.schedule(clock.now() + graceMs, () => stopping.abort());
      while (held.size > 0) {
        await Promise.allSettled(
          [...held.values()].map((holder) => ("wake" in holder ? holder.released : holder)),
        );
      }
      cancel();
      stopping.abort();
    },
  };
}

function headerOf(definition: Definition, event: Event, now: number): RunHeader {
  const user = userId(event);
  return {
    id: runId(definition.id, event.id),
    functionId: definition.id,
    functionVersion: definition.version,
    eventId: event.id,
    eventName: event.name,
    ...(user === undefined ? {} : { userId: user }),
    createdAt: now,
  };
}
