import { host, type Pollable } from "millrace:guest/host";
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

/** What something outside is waited for with, and who hears that it is ready. */
const watched = new Map<Pollable, () => void>();

/** Calls back once something outside is ready; gives a function that forgets it. */
export function watch(pollable: Pollable, callback: () => void): () => void {
  watched.set(pollable, callback);
  return () => {
    if (watched.delete(pollable)) pollable[Symbol.dispose]();
  };
}

function nextTimer(): Timer | undefined {
  let next: Timer | undefined;
  for (const timer of timers.values()) if (next === undefined || timer.due < next.due) next = timer;
  return next;
}

/** Sleeps until the next timer is due, or something outside is ready, and calls its callback; false when there is nothing. */
function runNext(): boolean {
  const next = nextTimer();
  if (watched.size > 0) return runReady(next);
  if (next === undefined) return false;
  const left = next.due - nowMs();
  if (left > 0) {
    using ready = clock.subscribeDuration(Math.ceil(left * 1e6));
    ready.block();
  }
  runTimer(next);
  return true;
}

function runTimer(timer: Timer): void {
  timers.delete(timer.id);
  if (timer.repeatMs !== undefined) timers.set(timer.id, { ...timer, due: nowMs() + timer.repeatMs });
  timer.callback();
}

function runReady(next: Timer | undefined): boolean {
  const { http } = host;
  if (http === undefined) return false;
  const left = next && Math.max(0, Math.ceil((next.due - nowMs()) * 1e6));
  using timeout = left === undefined ? undefined : http.clock.subscribeDuration(left);
  const pollables = [...watched.keys()];
  const [first = 0] = http.poll.poll(timeout === undefined ? pollables : [...pollables, timeout]);
  const pollable = pollables[first];
  const callback = pollable && watched.get(pollable);
  if (pollable === undefined || callback === undefined) {
    if (next !== undefined) runTimer(next);
    return true;
  }
  watched.delete(pollable);
  pollable[Symbol.dispose]();
  callback();
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

/** Runs microtasks, timers and what is waited for until `promise` is settled or nothing is left to do; throws Uncaught. */
export function runUntilSettled(promise: StepPromise): Outcome {
  // Its rejection is for the caller to tell.
  promise.then(undefined, () => undefined);
  turn();
  while (outcomeOf(promise).state === "pending" && step()) turn();
  return outcomeOf(promise);
}

/** Runs microtasks, timers and what is waited for until nothing is left to do; throws Uncaught. */
export function runToEnd(): void {
  turn();
  while (step()) turn();
}

function step(): boolean {
  try {
    return runNext();
  } catch (error) {
    throw new Uncaught(error, "throw");
  }
}
