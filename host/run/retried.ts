import { MillraceError } from "../errors.ts";
import { stepsOf, type Definition } from "../function/definition.ts";
import type { HistoryEntry } from "./history.ts";
import type { RunView } from "./run-view.ts";
import { takenBack } from "./undoing.ts";

interface Retry {
  readonly at: number;
  /** The step that runs anew with all behind it; by default what did not complete does. */
  readonly from: string | undefined;
}

/** Which steps and waits of a run that is over begin once more. Throws ERR_RUN_STEP. */
export function retriedEntry(
  definition: Definition,
  view: RunView,
  { at, from }: Retry,
): Extract<HistoryEntry, { type: "run.retried" }> {
  const all = stepsOf(definition);
  if (from !== undefined && !definition.steps.has(from)) {
    const ids = [...definition.steps.keys()].join(", ");
    throw new MillraceError(
      "ERR_RUN_STEP",
      `The run's function has no step ${JSON.stringify(from)} to go on from; it has ${ids}.`,
    );
  }
  const { undoing = [] } = view;
  const back = takenBack(view);
  const taken = new Set(back.map(({ step }) => step));
  const again = new Set<string>();
  const anew = (id: string, ancestors: readonly string[]): boolean => {
    const { status, caught } = view.steps.get(id) ?? {};
    // What came of a failure that led somewhere counts.
    if (status === "failed" && caught !== true) return true;
    if (status === "retrying" || status === "items" || id === definition.onFailure?.id) return true;
    // It may have been skipped since one before it failed.
    if (status === "skipped" && ancestors.some((before) => again.has(before))) return true;
    // What was undone is to be done again, and so is what was done with it; what undid it may have to do so again.
    if (undoing.some(({ by }) => by === id)) return view.steps.has(id);
    if (taken.has(id) || ancestors.some((before) => taken.has(before))) return true;
    return from !== undefined && (id === from || ancestors.includes(from));
  };
  for (const { id, ancestors } of all) if (anew(id, ancestors)) again.add(id);
  // What completed of a list stays so, unless the list itself may be another one.
  const items = [...again].filter((id) => reopens(definition, view, id, again));
  const steps = [...again].filter((id) => !items.includes(id));
  const waits = [...view.waits].filter(([id, { status }]) => {
    const wait = definition.waits.get(id);
    // What came, or did not, stays so where the wait began with a step that stays completed.
    const decided = status === "matched" || status === "timedOut";
    return wait === undefined || again.has(wait.from) || !decided;
  });
  const lists = items.length === 0 ? {} : { items };
  const undone = back.length === 0 ? {} : { undone: back.flatMap(({ step, by }) => [step, by]) };
  return { type: "run.retried", at, steps, waits: waits.map(([id]) => id), ...lists, ...undone };
}

/** Whether a step that begins once more does so with those of its items that have not completed. */
function reopens({ steps }: Definition, view: RunView, id: string, again: ReadonlySet<string>): boolean {
  const items = view.items.get(id);
  if (items === undefined || steps.get(id)?.ancestors.some((before) => again.has(before)) === true)
    return false;
  const by = view.undoing?.find(({ step }) => step === id)?.by;
  const undone = by === undefined ? 0 : (view.items.get(by)?.order.length ?? 0);
  // Where all have completed, nothing would be left to do; where all were undone, all are to be done.
  return undone === 0 ? items.order.length < items.count : items.order.length > undone;
}
