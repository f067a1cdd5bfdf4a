import { hasProgram, type StepDefinition } from "../function/definition.ts";
import type { EdgeMoment } from "./edges.ts";
import { nextAttempt, reachedBy, type Execution } from "./execution.ts";
import type { HistoryEntry, RecordedFailure } from "./history.ts";
import { type ForEachStep, knownList, makeList } from "./items-list.ts";
import type { ItemsView } from "./items-view.ts";
import { itemsUnderWay, placeOf } from "./place.ts";
import type { RunView } from "./run-view.ts";

/** Bytes of JSON that the outputs of all items of a step may have together. */
const mostCollected = 16 * 1024 * 1024;

interface ItemsMoment extends EdgeMoment {
  readonly underWay: ReadonlySet<string>;
}

/** What is next for the items of a step. */
interface ItemsNext {
  /** Nothing more comes of the step. */
  readonly settled: boolean;
  readonly execute: readonly Execution[];
  /** When an item's next attempt is due; infinite when none waits. */
  readonly wakeAt: number;
}

const settled: ItemsNext = { settled: true, execute: [], wakeAt: Number.POSITIVE_INFINITY };
const waiting: ItemsNext = { ...settled, settled: false };

export function runsOnceAnItem(step: StepDefinition): step is ForEachStep {
  return step.forEach !== undefined && hasProgram(step);
}

/** Decides what can be decided of a step whose edges are taken: its list, which items may start, what all came to. */
export function decideItems(
  step: ForEachStep,
  view: RunView,
  moment: ItemsMoment,
  decide: (entry: HistoryEntry) => void,
): ItemsNext {
  const at = moment.now;
  const fail = (failure: RecordedFailure): ItemsNext => {
    decide({ type: "items.failed", at, step: step.id, failure, ...(step.caught && { caught: true }) });
    return settled;
  };
  if (!view.items.has(step.id)) {
    // Like any other step, it does not begin in a pause.
    if (view.paused === true) return waiting;
    const made = makeList(step, view, moment);
    if (!made.ok) return fail(made.failure);
    const { gives } = step.forEach;
    decide({ type: "items.begun", at, step: step.id, count: made.list.length, gives });
  }
  const items = view.items.get(step.id);
  if (items === undefined) return waiting;
  const under = itemsUnderWay(step.id, moment.underWay);
  const fault = faultOf(step, items);
  // What is under way may end, and is recorded; of the rest nothing begins.
  if (fault !== undefined) return under > 0 ? waiting : fail(fault);
  if (items.results.size === items.count) {
    decide({ type: "items.completed", at, step: step.id });
    return settled;
  }
  const known = knownList(step, items, moment);
  if (!known.ok) return under > 0 ? waiting : fail(known.failure);
  const reached = reachedBy(step, items.before, { ...moment, now: items.at });
  const start = (index: number, made?: number): Execution => ({
    step,
    ...nextAttempt(view, step.id, index, made),
    ...reached,
    item: { index, value: known.list[index] ?? null },
  });
  const { concurrency } = step.forEach;
  return { settled: false, ...startable({ id: step.id, concurrency }, items, { ...moment, under, start }) };
}

/** Which items may start: as many as there is room for, those in front first. */
export function startable(
  { id, concurrency }: { readonly id: string; readonly concurrency: number },
  items: ItemsView,
  {
    now,
    underWay,
    under,
    start,
  }: ItemsMoment & { readonly under: number; start(index: number, made?: number): Execution },
): Pick<ItemsNext, "execute" | "wakeAt"> {
  const execute: Execution[] = [];
  let wakeAt = Number.POSITIVE_INFINITY;
  let taken = under;
  // An item keeps its place while it waits for its next attempt: what is out of order is not asked by all the others too.
  for (const [index, { attempts, at }] of items.retrying) {
    if (underWay.has(placeOf(id, index))) continue;
    taken += 1;
    if (at > now) wakeAt = Math.min(wakeAt, at);
    else execute.push(start(index, attempts));
  }
  let place = items.open.next(0);
  for (; place < items.count && taken < concurrency; place = items.open.next(place + 1)) {
    const index = items.sequence?.[place] ?? place;
    if (items.retrying.has(index) || underWay.has(placeOf(id, index))) continue;
    taken += 1;
    execute.push(start(index));
  }
  return { execute, wakeAt };
}

/** Why the step fails, if it does: more items failed than it bears, or they put out too much. */
function faultOf({ forEach: { bears } }: ForEachStep, items: ItemsView): RecordedFailure | undefined {
  const { count, failed, firstFailed, bytes } = items;
  if (bytes > mostCollected) {
    const message = `The outputs of the items have more than ${mostCollected} bytes together.`;
    return { code: "ERR_ITEMS_OUTPUT", message };
  }
  const most = Math.min(bears.items, Math.floor(bears.share * count));
  if (failed <= most || firstFailed === undefined) return undefined;
  const { item, failure } = firstFailed;
  const first = `item ${item}: ${failure.code} ${failure.message}`;
  const many = failed === 1 ? "One item has failed" : `${failed} items have failed`;
  const borne = most === 0 ? "" : `, and ${most} of ${count} may`;
  return { code: "ERR_ITEMS_FAILED", message: `${many}${borne}; the first is ${first}` };
}
