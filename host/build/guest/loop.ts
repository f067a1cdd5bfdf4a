import clock from "wasi:clocks/monotonic-clock@0.2.12";
import { runJobs } from "./jobs.ts";
import { touchOutside } from "./phase.ts";
import { type Outcome, outcomeOf, type StepPromise, takeUnhandled } from "./promise.ts";

interface Timer {
  readonly id: number;
  readonly due: number;
  readonly repeatMs: number | undefined;
  readonly callback: () => void;
}

const timers = new Map<number, Timer>();
let lastId = 0;

function nowMs(): number {
  return clock.now() / 1e6;
}

/** Calls back once at least `delay` milliseconds have passed, or again and again; gives the timer's id. */
export function startTimer(callback: () => void, delay: unknown, repeats: boolean): number {
  touchOutside("a timer");
  const id = ++lastId;
  // Node takes what is out of range as 1.
  const ms = Number(delay) >= 1 && Number(delay) < 2 ** 31 ? Number(delay) : 1;
  timers.set(id, { id, due: nowMs() + ms, repeatMs: repeats ? ms : undefined, callback });
  return id;
}

/** Forgets a timer. */
export function stopTimer(id: number): void {
  timers.delete(id);
}

/** Sleeps until the next timer is due and calls it; false when there is none. */
function runNextTimer(): boolean {
  let next: Timer | undefined;
  for (const timer of timers.values()) if (next === undefined || timer.due < next.due) next = timer;
  if (next === undefined) return false;
  const left = next.due - nowMs();
  if (left > 0) {
    using ready = clock.subscribeDuration(Math.ceil(left * 1e6));
    ready.block();
  }
  timers.delete(next.id);
  if (next.repeatMs !== undefined) timers.set(next.id, { ...next, due: nowMs() + next.repeatMs });
  next.callback();
  return true;
}

/** An exception that no code of the step caught. */
export class Uncaught {
  readonly reason: unknown;
  readonly from: "throw" | "rejection";

  constructor(reason: unknown, from: "throw" | "rejection") {
    this.reason = reason;
    this.from = from;
  }
}

function turn(): void {
  try {
    runJobs();
  } catch (error) {
    throw new Uncaught(error, "throw");
  }
  const reasons = takeUnhandled();
  if (reasons.length > 0) throw new Uncaught(reasons[0], "rejection");
}

/** Runs microtasks and timers until `promise` is settled or nothing is left to do; throws Uncaught. */
export function runUntilSettled(promise: StepPromise): Outcome {
  // Its rejection is for the caller to tell.
  promise.then(undefined, () => undefined);
  turn();
  while (outcomeOf(promise).state === "pending" && runTimer()) turn();
  return outcomeOf(promise);
}

/** Runs microtasks and timers until nothing is left to do; throws Uncaught. */
export function runToEnd(): void {
  turn();
  while (runTimer()) turn();
}

function runTimer(): boolean {
  try {
    return runNextTimer();
  } catch (error) {
    throw new Uncaught(error, "throw");
  }
}
