import type { Driver, RuntimeName } from "../../runtime/driver.ts";
import type { Clock, Random } from "../clock.ts";
import type { Event } from "../event/event.ts";
import type { Definition } from "../function/definition.ts";
import type { Live } from "../live.ts";
import type { RunHeader, Runs } from "../state/state.ts";
import type { Definitions } from "./definitions.ts";
import { createHeldRuns } from "./held-runs.ts";
import type { HistoryEntry } from "./history.ts";
import { matches, userId } from "./match.ts";
import type { Notices } from "./notices.ts";
import { runId } from "./run-id.ts";
import type { RunLoopPorts } from "./run-loop.ts";
import { applyEntry, emptyView } from "./run-view.ts";
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
  const { runs, definitions, clock, notices, live } = options;
  const stopping = new AbortController();
  let closing = false;
  const ports: RunLoopPorts = {
    ...options,
    armed: (wakeAt) => timers.armed(wakeAt),
    draining: () => closing,
    stopping: stopping.signal,
  };
  const held = createHeldRuns({ ...options, ports });
  const timers = startTimers({ runs, clock, wake: (id) => held.wake(id), onError: notices.storeError });

  /** True when the run is stored, by this call or an earlier one. */
  const start = async (definition: Definition, event: Event): Promise<boolean> => {
    await held.acquire();
    let holds = false;
    try {
      if (closing) return false;
      const header = headerOf(definition, event, clock.now());
      const started: HistoryEntry = { type: "run.started", at: header.createdAt, event };
      holds = (await runs.create(header, [started], { status: "running" })) === "created";
      if (!holds) return true;
      const { id, functionId, createdAt: at } = header;
      if (live.observed) live.publish({ type: "history", at, runId: id, functionId, entry: started, seq: 1 });
      const view = emptyView();
      applyEntry(view, started);
      held.hold(header, definition, { ...view, event });
      return true;
    } finally {
      if (!holds) held.release();
    }
  };

  return {
    async handle(event) {
      const triggered = definitions
        .triggeredBy(event.name)
        .filter((definition) =>
          matches(definition, event, (source, evaluation) =>
            notices.expressionError(definition.id, source, evaluation),
          ),
        );
      const started = await Promise.all(triggered.map((definition) => start(definition, event)));
      // Not acknowledged: the event is handed over again when a host is back.
      if (started.includes(false)) throw new Error("The host is stopping.");
    },
    wake: held.wake,
    async recover() {
      let last: string | undefined;
      for (;;) {
        const orphans = await runs.orphans(last, orphanPage);
        for (const id of orphans) await held.wake(id);
        last = orphans.at(-1);
        if (orphans.length < orphanPage || closing) return;
      }
    },
    async close(graceMs) {
      closing = true;
      await timers.close();
      const cancel = clock.schedule(clock.now() + graceMs, () => stopping.abort());
      await held.empty();
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
