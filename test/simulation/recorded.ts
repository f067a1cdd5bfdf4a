import type { HistoryEntry } from "../../host/run/history.ts";
import type { FunctionDocument, StepDocument } from "../../host/function/document.ts";

export type Entry<Type extends HistoryEntry["type"]> = Extract<HistoryEntry, { type: Type }>;
type ItemEnd = Entry<"item.completed"> | Entry<"item.failed">;

/** The entry by which a step completed, if it did; not that of an item. */
export function completionOf(
  history: readonly HistoryEntry[],
  step: string,
): Entry<"step.completed" | "items.completed"> | undefined {
  return history.find(
    (entry): entry is Entry<"step.completed" | "items.completed"> =>
      (entry.type === "step.completed" || entry.type === "items.completed") && entry.step === step,
  );
}

/** The entry by which a step failed for good, if it did; not that of an item. */
export function failureOf(
  history: readonly HistoryEntry[],
  step: string,
): Entry<"step.failed" | "items.failed"> | undefined {
  return failuresIn(history).find((entry) => entry.step === step);
}

/** The entries by which steps failed for good. */
export function failuresIn(history: readonly HistoryEntry[]): Entry<"step.failed" | "items.failed">[] {
  return history.filter(
    (entry): entry is Entry<"step.failed" | "items.failed"> =>
      entry.type === "items.failed" || (entry.type === "step.failed" && entry.retryAt === undefined),
  );
}

/** The attempts of a step's items that have ended. */
export function itemEnds(history: readonly HistoryEntry[], step: string): ItemEnd[] {
  return history.filter(
    (entry): entry is ItemEnd =>
      (entry.type === "item.completed" || entry.type === "item.failed") && entry.step === step,
  );
}

/** Those of an item that no other attempt follows. */
export function isFinal(entry: ItemEnd): boolean {
  return entry.type === "item.completed" || entry.retryAt === undefined;
}

/** What a step put out, as the README has it: of items, what became of each, in the order of the list. */
export function outputIn(
  history: readonly HistoryEntry[],
  step: string,
  document: FunctionDocument,
): unknown {
  const completed = completionOf(history, step);
  if (completed?.type !== "items.completed") return completed?.output;
  const ends = itemEnds(history, step)
    .filter(isFinal)
    .toSorted((one, other) => one.item - other.item);
  if (document.steps[step]?.forEach?.onError !== "continue")
    return ends.map((end) => (end.type === "item.completed" ? end.output : null));
  return ends.map((end) =>
    end.type === "item.completed" ? { ok: true, output: end.output } : { ok: false, ...end.failure },
  );
}

/** The step that another one undoes. */
export function undoneBy(
  document: FunctionDocument,
  by: string,
): (StepDocument & { readonly id: string }) | undefined {
  const found = Object.entries(document.steps).find(([, { compensate }]) => compensate === by);
  return found && { ...found[1], id: found[0] };
}

/** The items of a step that completed, the last one first. */
export function itemsBack(history: readonly HistoryEntry[], step: string): number[] {
  return itemEnds(history, step)
    .flatMap((end) => (end.type === "item.completed" ? [end.item] : []))
    .toReversed();
}

/** What must be undone of a run by what is recorded before `until`: of the steps that have completed, the last one first. */
export function owedBy(document: FunctionDocument, history: readonly HistoryEntry[]): string[] {
  const completes = (entry: HistoryEntry, step: string): boolean =>
    (entry.type === "step.completed" || entry.type === "item.completed") && entry.step === step;
  const last = (step: string): number => {
    const place = history.findLastIndex((entry) => completes(entry, step));
    return place === -1 ? history.indexOf(completionOf(history, step)!) : place;
  };
  return Object.entries(document.steps)
    .filter(([step, { compensate }]) => {
      if (compensate === undefined) return false;
      return completionOf(history, step) !== undefined || itemsBack(history, step).length > 0;
    })
    .map(([step]) => step)
    .toSorted((one, other) => last(other) - last(one));
}
