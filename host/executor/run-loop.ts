import type { Driver, RuntimeName } from "../../runtime/driver.ts";
import type { Outcome } from "../broker/broker.ts";
import type { Random } from "../clock.ts";
import type { Event } from "../event/event.ts";
import type { Definition } from "../function/definition.ts";
import type { Evaluation } from "../function/expression.ts";
import type { RunHeader, RunUpdate } from "../state/state.ts";
import { attemptEntry, runAttempt, stepInput } from "./attempt.ts";
import type { HistoryEntry } from "./history.ts";
import { createRecord, type RecordPorts } from "./record.ts";
import { applyEntry, type RunView } from "./run-view.ts";
import { transition, type Execution } from "./transition.ts";

/** What the loops of all runs share. */
export interface RunLoopPorts extends RecordPorts {
  readonly drivers: ReadonlyMap<RuntimeName, Driver>;
  readonly random: Random;
  /** This host's id. */
  readonly host: string;
  /** A run whose next timer is due within this time is not parked, in milliseconds. */
  readonly holdMs: number;
  /** Hears of every timer that was stored. */
  armed(wakeAt: number): void;
  /** True once the host starts nothing new. */
  draining(): boolean;
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
  const record = createRecord(ports, header, taken.revision);
  const identity = { runId: header.id, functionId: header.functionId };
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
      live.publish({ type: "attempt.started", at: startedAt, ...identity, step: step.id, attempt });
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
      const stopped = await record.append(seq, all, update(idle ? wakeAt : undefined, idle, now));
      if (stopped !== undefined) return letGo(stopped);
      if (idle && wakeAt !== undefined) ports.armed(wakeAt);
    }
    if (view.finished !== undefined) return letGo("done");
    if (settled.length > 0 || woken) return undefined;
    if (idle) return letGo(elsewhere === undefined ? "done" : await handOver(elsewhere));
    if (!ports.draining()) for (const execution of here) void execute(execution);
    if (underWay.size === 0 && ports.draining()) return letGo("back");
    await something(wakeAt);
    return undefined;
  };

  /** Who wakes the run meanwhile may be the other host, which has handed it back: then it must be looked at anew. */
  const handOver = async ({ step }: Execution): Promise<Outcome> => {
    const how = await record.handOver(step);
    return woken ? "back" : how;
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
