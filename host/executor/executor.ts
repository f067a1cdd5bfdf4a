import type { Driver, RuntimeName } from "../../runtime/driver.ts";
import type { Broker, StoredEvent } from "../broker/broker.ts";
import type { Clock, Random } from "../clock.ts";
import type { Admission } from "../flow-control/admission.ts";
import type { Concurrency } from "../flow-control/concurrency.ts";
import type { Event } from "../event/event.ts";
import type { Definition } from "../function/definition.ts";
import type { Links } from "../links.ts";
import type { Live } from "../live.ts";
import type { Gates, Runs, UnattendedRuns, Waits } from "../state/state.ts";
import type { Definitions } from "./definitions.ts";
import { createCollector } from "../collect/collector.ts";
import { createHeldRuns, notHeld, type Held } from "./held-runs.ts";
import { invokerOf } from "../run/invocation.ts";
import type { Kin } from "./kin.ts";
import { createLookout } from "./lookout.ts";
import { matches } from "../run/match.ts";
import type { Notices } from "./notices.ts";
import { newRun } from "./new-run.ts";
import type { Outbox } from "./outbox.ts";
import type { Nudged, Peers } from "./peers.ts";
import { createRouter, worse } from "./router.ts";
import { runId } from "../run/run-id.ts";
import type { RunLoopPorts } from "./run-loop-ports.ts";
import { startTimers } from "./timers.ts";

export interface ExecutorOptions {
  readonly runs: Runs;
  readonly waits: Waits;
  readonly gates: Gates;
  readonly events: Pick<Broker, "readEvents" | "settled" | "wake">;
  readonly outbox: Outbox;
  readonly kin: Kin;
  readonly links: Pick<Links, "addresses">;
  /** Runs that no server attends to: this host is then the only one, and does. */
  readonly unattended: UnattendedRuns | undefined;
  /** This host's id. */
  readonly host: string;
  /** The other hosts of the store; undefined where there can be none. */
  readonly peers?: Peers | undefined;
  readonly definitions: Definitions;
  readonly drivers: ReadonlyMap<RuntimeName, Driver>;
  readonly clock: Clock;
  readonly random: Random;
  readonly live: Live;
  readonly notices: Notices;
  readonly admission: Admission;
  readonly concurrency: Concurrency;
  /** Runs held in memory at once, at most. */
  readonly maxRuns: number;
}

/** Starts runs and advances them. */
export interface Executor {
  /**
   * Starts a run of every active function that the event triggers, and offers it to the runs that wait for it; resolves
   * when all new ones are stored. `redelivered`: the host that had the event before may have started runs of functions
   * that are active no more; they are taken up.
   */
  handle(stored: StoredEvent, redelivered: boolean): Promise<Held>;
  /** Has a stored run looked at; resolves once this host holds it, or it needs nothing. */
  wake(runId: string): Promise<Held>;
  /** Has a run that this host holds looked at again, or offers it an event. */
  nudge(runId: string, offered?: StoredEvent): Nudged;
  /** Takes up the runs that a host left when it ended, and then those that waited for their turn. */
  recover(waiting: readonly string[]): Promise<void>;
  /** Starts nothing new, gives what is under way `graceMs` to end, and then cuts it off; its runs go on later. */
  close(graceMs: number): Promise<void>;
}

/** Orphans that are read at once. */
const orphanPage = 500;

/** On a shared store, a run whose next timer is due within this time is not parked: that would cost more, in milliseconds. */
const sharedHoldMs = 1_000;

export function createExecutor(options: ExecutorOptions): Executor {
  const { unattended, definitions, clock, notices, host, peers, admission } = options;
  const stopping = new AbortController();
  let closing = false;
  const ports: RunLoopPorts = {
    ...options,
    lookout: createLookout(options),
    holdMs: peers === undefined ? 0 : sharedHoldMs,
    armed: (wakeAt) => timers?.armed(wakeAt),
    draining: () => closing,
    stopping: stopping.signal,
  };
  const held = createHeldRuns({ ...options, ports });
  const router = createRouter({ waits: options.waits, held, onError: notices.storeError });
  const collector = createCollector({
    ...options,
    armed: ports.armed,
    async wake(id, holder) {
      if (holder === host || peers === undefined) held.nudge(id);
      // Where the host is the only one, the timer is a part of the run.
      if (peers !== undefined) await options.events.wake(id);
    },
  });
  const timers =
    unattended && startTimers({ runs: unattended, clock, wake: held.wake, onError: notices.storeError });

  /** Resolves when the run is stored, by this call or an earlier one. */
  const start = async (definition: Definition, stored: StoredEvent): Promise<Held> => {
    // Whoever invoked it waits for a run of its own.
    const isInvoked = invokerOf(stored.event) !== undefined;
    const collects = definition.collects !== undefined && !closing && !isInvoked;
    const collected = collects ? await collector.take(definition, stored) : undefined;
    if (collected === "collected") return notHeld("done");
    const run = collected === "own" ? "known" : await begin(definition, stored);
    if (typeof run !== "string") return held.begin(run);
    // Another version of the function may have been about to collect it.
    if (run === "put off" || (!isInvoked && (await collector.goOn(definition, stored))))
      return notHeld("done");
    // An event that comes again may have been with a host that is gone, and so may its run.
    return peers === undefined ? notHeld("done") : held.wake(runId(definition.id, stored.event.id));
  };

  /** Stores a run of the event's own, in room that was acquired for it if there is something to do for it now. */
  const begin = async (definition: Definition, stored: StoredEvent): ReturnType<typeof newRun> => {
    await held.acquire();
    let run: Awaited<ReturnType<typeof newRun>> | undefined;
    let begins = false;
    try {
      // Not acknowledged: the event is handed over again when a host is back.
      if (closing) throw new Error("The host is stopping.");
      run = await newRun(definition, stored, { ...ports, ...options });
      if (definition.flowControl !== undefined)
        await admission.settle({ definition, stored, run: runId(definition.id, stored.event.id) });
      begins = typeof run !== "string";
    } finally {
      if (!begins) held.release();
    }
    return run;
  };

  /** The runs that the event may have of functions that it does not trigger by now. */
  const earlier = async (event: Event, triggered: readonly Definition[]): Promise<readonly Held[]> => {
    const now = new Set(triggered.map(({ id }) => id));
    const others = (await definitions.everTriggeredBy(event.name)).filter((id) => !now.has(id));
    return Promise.all(others.map(async (id) => held.wake(await runOf(event, id, options.runs))));
  };

  return {
    async handle(stored, redelivered) {
      const { event } = stored;
      const triggered = definitions
        .triggeredBy(event.name)
        .filter((definition) =>
          matches(definition, event, (source, evaluation) =>
            notices.expressionError(definition.id, source, evaluation),
          ),
        );
      const [waiting, started, left] = await Promise.all([
        router.route(stored),
        Promise.all(triggered.map((definition) => start(definition, stored))),
        redelivered && peers !== undefined ? earlier(event, triggered) : [],
      ]);
      const all = [waiting, ...started, ...left];
      return {
        released: Promise.all(all.map(({ released }) => released)).then((each) => each.reduce(worse)),
        recorded: () => Promise.all(all.map((run) => run.recorded())).then((each) => each.reduce(worse)),
      };
    },
    wake: held.wake,
    nudge: held.nudge,
    async recover(waiting) {
      if (unattended === undefined) return;
      let last: string | undefined;
      for (;;) {
        const orphans = await unattended.orphans(last, orphanPage);
        for (const id of orphans) await held.wake(id);
        last = orphans.at(-1);
        if (orphans.length < orphanPage || closing) break;
      }
      for (const id of waiting) if (!closing) await held.wake(id);
    },
    async close(graceMs) {
      closing = true;
      await collector.idle();
      await timers?.close();
      const cancel = clock.schedule(clock.now() + graceMs, () => stopping.abort());
      await held.empty();
      cancel();
      stopping.abort();
    },
  };
}

/** The run that a function may have for an event: its own, or one that collects, which its host alone knew of. */
async function runOf(event: Event, functionId: string, runs: Pick<Runs, "assigned">): Promise<string> {
  const id = runId(functionId, event.id);
  return (await runs.assigned({ id, functionId, eventId: event.id }))?.runId ?? id;
}
