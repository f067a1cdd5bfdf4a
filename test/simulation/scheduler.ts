import type { Clock } from "../../host/clock.ts";
import type { Chance } from "./chance.ts";

/** Where a task belongs to: one that is paused does it later, one that is gone never. */
export interface Owner {
  readonly gone: boolean;
  readonly paused: boolean;
}

/** Everything that happens in a simulation happens as a task of its scheduler, one at a time, in simulated time. */
export interface Scheduler {
  now(): number;
  /** Has a task done at or after `at`; the returned function takes that back. Tasks of the same time go in any order. */
  at(at: number, task: () => void, owner?: Owner): () => void;
  after(delay: number, task: () => void, owner?: Owner): () => void;
  /** Has the tasks that waited for a paused owner done now. */
  resumed(owner: Owner): void;
  /** Goes on until `done`, `until` or the last task; false when `done` was not reached. */
  run(options: { readonly until: number; done?(): boolean }): Promise<boolean>;
  /** Tasks done so far. */
  readonly tasks: number;
  /** The scheduler as the clock of one machine. */
  clock(owner: Owner): Clock;
}

interface Task {
  readonly at: number;
  /** Decides between tasks of the same time. */
  readonly turn: number;
  readonly id: number;
  readonly owner: Owner | undefined;
  run: (() => void) | undefined;
}

/** Simulated time begins on 2026-01-01. */
const beginning = 1_767_225_600_000;

export function createScheduler(chance: Chance): Scheduler {
  const queue: Task[] = [];
  const waiting = new Map<Owner, Task[]>();
  let time = beginning;
  let ids = 0;
  let done = 0;

  const at: Scheduler["at"] = (when, run, owner) => {
    const task: Task = { at: Math.max(when, time), turn: chance.random(), id: ids++, owner, run };
    push(queue, task);
    return () => (task.run = undefined);
  };

  const perform = (task: Task): boolean => {
    const { owner, run } = task;
    if (run === undefined || owner?.gone === true) return false;
    if (owner?.paused === true) {
      const tasks = waiting.get(owner);
      if (tasks === undefined) waiting.set(owner, [task]);
      else tasks.push(task);
      return false;
    }
    run();
    return true;
  };

  return {
    now: () => time,
    at,
    after: (delay, task, owner) => at(time + delay, task, owner),
    resumed(owner) {
      const tasks = waiting.get(owner) ?? [];
      waiting.delete(owner);
      for (const task of tasks) {
        at(time, () => task.run?.(), owner);
      }
    },
    async run({ until, done: enough }) {
      await settled();
      for (;;) {
        if (enough?.() === true) return true;
        const next = queue[0];
        if (next === undefined || next.at > until) {
          if (next !== undefined || enough === undefined) time = Math.max(time, until);
          return enough === undefined;
        }
        pop(queue);
        if (next.run === undefined) continue;
        time = next.at;
        if (!perform(next)) continue;
        done += 1;
        await settled();
      }
    },
    get tasks() {
      return done;
    },
    clock: (owner) => ({ now: () => time, schedule: (when, callback) => at(when, callback, owner) }),
  };
}

/** Resolves when all promises that could go on have: the machine's own tasks come after its microtasks. */
function settled(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

function before(one: Task, other: Task): boolean {
  if (one.at !== other.at) return one.at < other.at;
  return one.turn === other.turn ? one.id < other.id : one.turn < other.turn;
}

/** The queue is a binary heap: no task is before the one at (i - 1) / 2. */
function push(heap: Task[], task: Task): void {
  let hole = heap.length;
  heap.push(task);
  while (hole > 0) {
    const parent = (hole - 1) >> 1;
    if (!before(task, heap[parent]!)) break;
    heap[hole] = heap[parent]!;
    hole = parent;
  }
  heap[hole] = task;
}

function pop(heap: Task[]): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return;
  let hole = 0;
  for (;;) {
    let child = 2 * hole + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child += 1;
    if (!before(heap[child]!, last)) break;
    heap[hole] = heap[child]!;
    hole = child;
  }
  heap[hole] = last;
}
