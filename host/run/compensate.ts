import {
  hasProgram,
  type Definition,
  type ProgramStep,
  type StepDefinition,
} from "../function/definition.ts";
import { runsOnceAnItem, startable } from "./decide-items.ts";
import { executionOf, nextAttempt, type Execution } from "./execution.ts";
import type { HistoryEntry, Undo } from "./history.ts";
import { knownList } from "./items-list.ts";
import type { ItemsView } from "./items-view.ts";
import { invoke, looksAt } from "./invoking.ts";
import { itemsUnderWay } from "./place.ts";
import type { RunView } from "./run-view.ts";
import { outputToUndo } from "./undoing.ts";
import type { WaitMoment } from "./wait-decisions.ts";

/** What is next for the compensations of a run. */
interface Compensating {
  readonly execute: readonly Execution[];
  readonly wakeAt?: number;
}

type Decide = (entry: HistoryEntry) => void;

/**
 * Undoes what the steps of a run did that has failed or is to be cancelled, one after the other, the last that completed
 * first; undefined when that is done, as far as it can be.
 */
export function compensate(
  definition: Definition,
  view: RunView,
  moment: WaitMoment,
  decide: Decide,
): Compensating | undefined {
  const { compensations, steps } = definition;
  if (compensations === undefined) return undefined;
  if (view.undoing === undefined) {
    const order = toUndo(compensations, view);
    if (order.length === 0) return undefined;
    decide({ type: "run.compensating", at: moment.now, steps: order });
  }
  for (const undo of view.undoing ?? []) {
    const step = compensations.get(undo.step);
    const undone = steps.get(undo.step);
    if (step === undefined || undone === undefined) continue;
    const items = view.items.get(undo.by);
    const next =
      items === undefined || !hasProgram(step)
        ? undoStep({ definition, step, undo }, view, moment, decide)
        : undoItems({ step, undone, undo, items }, view, moment, decide);
    if (next !== undefined) return next;
  }
  return undefined;
}

function toUndo(compensations: ReadonlyMap<string, StepDefinition>, view: RunView): readonly Undo[] {
  const place = (step: string): number => view.completions.get(step) ?? 0;
  return [...compensations]
    .map(([step, { id }]) => ({ step, by: id }))
    .filter(
      ({ step }) =>
        view.steps.get(step)?.status === "completed" || (view.items.get(step)?.order.length ?? 0) > 0,
    )
    .toSorted((one, other) => place(other.step) - place(one.step));
}

function undoStep(
  {
    definition,
    step,
    undo,
  }: { readonly definition: Definition; readonly step: StepDefinition; readonly undo: Undo },
  view: RunView,
  moment: WaitMoment,
  decide: Decide,
): Compensating | undefined {
  const known = view.steps.get(step.id);
  if (known?.status === "completed" || known?.status === "failed") return undefined;
  if (moment.underWay.has(step.id)) return { execute: [] };
  if (known !== undefined && known.at > moment.now) return { execute: [], wakeAt: known.at };
  const waiting = (): Compensating => ({ execute: [], wakeAt: looksAt(view, moment) });
  if (view.invoked.has(step.id)) return waiting();
  if (hasProgram(step)) {
    const undoes = { output: outputToUndo(view, undo.step) };
    return { execute: [{ ...executionOf(step, view, moment), undoes }] };
  }
  if (view.paused === true) return { execute: [] };
  invoke(definition, step, view, moment, decide);
  // What can't be invoked has failed already.
  return view.invoked.has(step.id) ? waiting() : undefined;
}

interface UndoneItems {
  readonly step: ProgramStep;
  /** The step whose items are undone. */
  readonly undone: StepDefinition;
  readonly undo: Undo;
  readonly items: ItemsView;
}

function undoItems(
  { step, undone, undo, items }: UndoneItems,
  view: RunView,
  moment: WaitMoment,
  decide: Decide,
): Compensating | undefined {
  const { id } = step;
  if (view.steps.get(id)?.status !== "items") return undefined;
  const under = itemsUnderWay(id, moment.underWay);
  if (items.results.size === items.count) {
    if (under > 0) return { execute: [] };
    const { firstFailed, failed } = items;
    const message = `${failed} of ${items.count} items could not be undone; the first is item ${firstFailed?.item}: ${firstFailed?.failure.message}`;
    const failure = { code: "ERR_ITEMS_FAILED", message };
    const at = moment.now;
    decide(
      failed === 0
        ? { type: "items.completed", at, step: id }
        : { type: "items.failed", at, step: id, failure },
    );
    return undefined;
  }
  const began = view.items.get(undo.step);
  const known = began && runsOnceAnItem(undone) ? knownList(undone, began, moment) : undefined;
  const start = (index: number, made?: number): Execution => ({
    step,
    ...nextAttempt(view, id, index, made),
    item: { index, value: (known?.ok === true ? known.list[index] : undefined) ?? null },
    undoes: { output: outputToUndo(view, undo.step, index) },
  });
  const next = startable({ id, concurrency: undone.forEach?.concurrency ?? 1 }, items, {
    ...moment,
    under,
    start,
  });
  return {
    execute: next.execute,
    ...(next.wakeAt === Number.POSITIVE_INFINITY ? {} : { wakeAt: next.wakeAt }),
  };
}
