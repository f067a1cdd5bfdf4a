import type { Driver, RuntimeName } from "../../runtime/driver.ts";
import type { Outcome } from "../broker/broker.ts";
import type { Clock, Random } from "../clock.ts";
import type { Event } from "../event/event.ts";
import type { Definition } from "../function/definition.ts";
import type { Evaluation } from "../function/expression.ts";
import type { Live } from "../live.ts";
import type { RunHeader, Runs, RunUpdate } from "../state/state.ts";
import { attemptEntry, runAttempt, stepInput } from "./attempt.ts";
import type { HistoryEntry } from "./history.ts";
import { insistOn, type Written } from "./insist.ts";
import type { Notices } from "./notices.ts";
import type { Peers } from "./peers.ts";
import { applyEntry, type RunView } from "./run-view.ts";
import { transition, type Execution } from "./transition.ts";

/** What the loops of all runs share. */
export interface RunLoopPorts {
  readonly runs: Pick<Runs, "append">;
  readonly drivers: ReadonlyMap<RuntimeName, Driver>;
  readonly clock: Clock;
  readonly random: Random;
  readonly live: Live;
  readonly notices: Notices;
  /** This host's id. */
  readonly host: string;
  /** The other hosts of the store; undefined where there can be none. */
  readonly peers?: Peers | undefined;
  /** A run whose next timer is due within this time is not parked, in milliseconds. */
  readonly holdMs: number;
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
  /** Resolves when the run is no longer held: "done": it has finished or parked. "back": the host stops. */
  readonly released: Promise<Outcome>;
}

/** A stored run that this host may advance: all that a loop begins with. */
export interface TakenRun {
  readonly header: RunHeader;
  readonly revision: number;
  readonly definition: Definition;
  readonly view: RunView & { readonly event: Event };
}

/** Advances one run for as long as it can go on: transition, append, execute, and round again. */
export function startRunLoop(ports: RunLoopPorts, { header, definition, view, ...taken }: TakenRun): RunLoop {
  const { clock, live, notices, stopping } = ports;
  let { revision } = taken;
  const underWay = new Set<string>();
  let settled: HistoryEntry[] = [];
  let woken = false;
  let rouse: (() => void) | undefined;
  let outcome: Outcome | undefined;

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
  const letGo = (how: Outcome): void => {
    outcome = how;
  };

  const runsHere = ({ step }: Execution): boolean =>
    ports.peers === undefined || ports.drivers.has(step.program.runtime.type);

  /** One round: what has settled is recorded, and what is next is started. */
  const advance = async (): Promise<void> => {
    woken = false;
    const seq = view.seq;
    const entries = settled;
    settled = [];
    for (const entry of entries) applyEntry(view, entry);
    const now = clock.now();
    const { decided, execute: ready, wakeAt } = transition(definition, view, { now, underWay, onError });
    const here = ready.filter(runsHere);
    const elsewhere = ready.find((execution) => !runsHere(execution));
    const soon = elsewhere === undefined && wakeAt !== undefined && wakeAt - now <= ports.holdMs;
    const idle = underWay.size === 0 && here.length === 0 && !soon;
    const all = [...entries, ...decided];
    if (all.length > 0 || idle) {
      if (!(await append(seq, all, update(idle ? wakeAt : undefined, idle, now)))) return undefined;
      if (idle && wakeAt !== undefined) ports.armed(wakeAt);
    }
    if (view.finished !== undefined) return letGo("done");
    if (settled.length > 0 || woken) return undefined;
    if (idle) return elsewhere === undefined ? letGo("done") : handOver(elsewhere);
    if (!ports.draining()) for (const execution of here) void execute(execution);
    if (underWay.size === 0 && ports.draining()) return letGo("back");
    await something(wakeAt);
    return undefined;
  };

  /** Resolves when an attempt has ended, the run was woken, or it is time. */
  const something = async (wakeAt: number | undefined): Promise<void> => {
    const cancel = wakeAt === undefined ? undefined : clock.schedule(wakeAt, nudge);
    await new Promise<void>((resolve) => (rouse = resolve));
    cancel?.();
  };

  const update = (wakeAt: number | undefined, idle: boolean, now: number): RunUpdate => {
    if (view.finished !== undefined) return { status: view.finished, finishedAt: now };
    if (!idle) return { status: "running", host: ports.host };
    return { status: "parked", ...(wakeAt === undefined ? {} : { wakeAt }) };
  };

  /** False when the run was let go instead. */
  const append = async (
    seq: number,
    entries: readonly HistoryEntry[],
    change: RunUpdate,
  ): Promise<boolean> => {
    const appended = await insist(() => ports.runs.append(header, revision, entries, change));
    if (appended === undefined) return false;
    if (appended.value === undefined) {
      letGo("lost");
      return false;
    }
    revision = appended.value;
    if (!live.observed) return true;
    entries.forEach((entry, index) =>
      live.publish({ type: "history", at: entry.at, ...identity(header), entry, seq: seq + index + 1 }),
    );
    return true;
  };

  /** What is next needs a driver that this host does not have; the run is parked. */
  const handOver = async ({ step }: Execution): Promise<void> => {
    const asked = await insist(async () => ports.peers?.handOver(header.id, step.program.runtime.type));
    if (asked !== undefined) letGo("done");
  };

  /** Undefined when the host stops; the run was then let go. */
  const insist = async <T>(write: () => Promise<T>): Promise<Written<T> | undefined> => {
    const written = await insistOn(write, { clock, stopping, onError: notices.storeError });
    if (written === undefined) letGo("back");
    return written;
  };

  const run = async (): Promise<Outcome> => {
    while (outcome === undefined) await advance();
    return outcome;
  };

  return {
    wake() {
      nudge();
      return outcome === undefined;
    },
    released: run(),
  };
}

function identity(header: RunHeader): { readonly runId: string; readonly functionId: string } {
  return { runId: header.id, functionId: header.functionId };
}
