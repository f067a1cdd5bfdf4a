import type { Driver, RuntimeName } from "../../runtime/driver.ts";
import type { Clock, Random } from "../clock.ts";
import type { Event } from "../event/event.ts";
import type { Definition } from "../function/definition.ts";
import type { Evaluation } from "../function/expression.ts";
import type { Live } from "../live.ts";
import type { RunHeader, Runs, RunUpdate } from "../state/state.ts";
import { attemptEntry, runAttempt, stepInput } from "./attempt.ts";
import type { HistoryEntry } from "./history.ts";
import type { Notices } from "./notices.ts";
import { applyEntry, type RunView } from "./run-view.ts";
import { transition, type Execution, type Transition } from "./transition.ts";

/** What the loops of all runs share. */
export interface RunLoopPorts {
  readonly runs: Pick<Runs, "append">;
  readonly drivers: ReadonlyMap<RuntimeName, Driver>;
  readonly clock: Clock;
  readonly random: Random;
  readonly live: Live;
  readonly notices: Notices;
  /** Hears of every timer that was stored. */
  armed(wakeAt: number): void;
  /** True once the host starts nothing new. */
  draining(): boolean;
  /** Aborted when the host waits no longer: what is under way is cut off and not recorded. */
  readonly stopping: AbortSignal;
}

/** A run that is held in memory because it can go on. */
export interface RunLoop {
  /** Something may have happened to the run: look at it again. False when this loop has already let go of it. */
  wake(): boolean;
  /** Resolves when the run is no longer held: it has finished or parked, or is another host's, or the host stops. */
  readonly released: Promise<void>;
}

/** The pause before an append that the store refused is tried again, in milliseconds. */
const appendRetryDelay = 1_000;

/** Advances one run for as long as it can go on: transition, append, execute, and round again. */
export function startRunLoop(
  ports: RunLoopPorts,
  header: RunHeader,
  definition: Definition,
  view: RunView & { readonly event: Event },
): RunLoop {
  const { clock, live, notices, stopping } = ports;
  const underWay = new Set<string>();
  let settled: HistoryEntry[] = [];
  let woken = false;
  let rouse: (() => void) | undefined;
  /** The timer that the store holds for this run. */
  let timer: number | undefined;
  let over = false;

  const nudge = (): void => {
    woken = true;
    rouse?.();
  };
  const execute = async (execution: Execution): Promise<void> => {
    const { step, attempt } = execution;
    const startedAt = clock.now();
    underWay.add(step.id);
    if (live.observed) {
      live.publish({ type: "attempt.started", at: startedAt, ...identity(header), step: step.id, attempt });
    }
    const input = stepInput(header, view, execution, startedAt);
    const result = await runAttempt(ports.drivers, execution, input, stopping);
    underWay.delete(step.id);
    // An attempt that the stopping host cut off never happened: another one, with the same number, follows.
    if (!stopping.aborted || result.ok) {
      settled.push(attemptEntry(execution, result, { startedAt, at: clock.now() }, ports.random));
    }
    nudge();
  };

  const onError = (source: string, evaluation: Evaluation): void =>
    notices.expressionError(header.functionId, source, evaluation);

  /** Set at once, not a tick later: a wake that comes in between must not be lost. */
  const letGo = (): void => {
    over = true;
  };

  /** One round: what has settled is recorded, and what is next is started. */
  const advance = async (): Promise<void> => {
    woken = false;
    const after = view.seq;
    const entries = settled;
    settled = [];
    for (const entry of entries) applyEntry(view, entry);
    const next = transition(definition, view, { now: clock.now(), underWay, onError });
    const all = [...entries, ...next.decided];
    const idle = underWay.size === 0 && next.execute.length === 0;
    if (all.length > 0 || idle || next.wakeAt !== timer) {
      const appended = await append(after, all, updateOf(view, next, idle, clock.now()));
      if (!appended) return letGo();
      timer = next.wakeAt;
      if (timer !== undefined) ports.armed(timer);
    }
    if (view.finished !== undefined) return letGo();
    if (settled.length > 0 || woken) return undefined;
    if (idle) return letGo();
    if (!ports.draining()) for (const execution of next.execute) void execute(execution);
    if (underWay.size === 0) return letGo();
    await new Promise<void>((resolve) => (rouse = resolve));
    return undefined;
  };

  /** False when the run is no longer this host's. A store that refuses is asked until it takes the append. */
  const append = async (
    after: number,
    entries: readonly HistoryEntry[],
    update: RunUpdate,
  ): Promise<boolean> => {
    for (;;) {
      try {
        if ((await ports.runs.append(header.id, after, entries, update)) === "conflict") return false;
        entries.forEach((entry, index) => {
          if (live.observed) {
            live.publish({
              type: "history",
              at: entry.at,
              ...identity(header),
              entry,
              seq: after + index + 1,
            });
          }
        });
        return true;
      } catch (error) {
        if (stopping.aborted) return false;
        notices.storeError(error);
        await pause(clock, appendRetryDelay, stopping);
      }
    }
  };

  const run = async (): Promise<void> => {
    while (!over) await advance();
  };

  return {
    wake() {
      // Whoever wakes the run has taken its timer off the store.
      timer = undefined;
      nudge();
      return !over;
    },
    released: run(),
  };
}

function updateOf(view: RunView, next: Transition, idle: boolean, now: number): RunUpdate {
  if (view.finished !== undefined) return { status: view.finished, finishedAt: now };
  return {
    status: idle ? "parked" : "running",
    ...(next.wakeAt === undefined ? {} : { wakeAt: next.wakeAt }),
  };
}

function identity(header: RunHeader): { readonly runId: string; readonly functionId: string } {
  return { runId: header.id, functionId: header.functionId };
}

async function pause(clock: Clock, delay: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const cancel = clock.schedule(clock.now() + delay, done);
    function done(): void {
      cancel();
      signal.removeEventListener("abort", done);
      resolve();
    }
    signal.addEventListener("abort", done);
  });
}
