import { MillraceError } from "../errors.ts";
import { stepsOf, type Definition } from "../function/definition.ts";
import type { HistoryEntry } from "./history.ts";
import type { RunView } from "./run-view.ts";

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
  const again = new Set<string>();
  const anew = (id: string, ancestors: readonly string[]): boolean => {
    const { status, caught } = view.steps.get(id) ?? {};
    // What came of a failure that led somewhere counts.
    if (status === "failed" && caught !== true) return true;
    if (status === "retrying" || status === "items" || id === definition.onFailure?.id) return true;
    // It may have been skipped since one before it failed.
    if (status === "skipped" && ancestors.some((before) => again.has(before))) return true;
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
  return { type: "run.retried", at, steps, waits: waits.map(([id]) => id), ...lists };
}

/** Whether a step that begins once more does so with those of its items that have not completed. */
function reopens({ steps }: Definition, view: RunView, id: string, again: ReadonlySet<string>): boolean {
  const items = view.items.get(id);
  if (items === undefined || steps.get(id)?.ancestors.some((before) => again.has(before)) === true)
    return false;
  // Where all have completed, nothing would be left to do.
  return items.order.length < items.count;
}
