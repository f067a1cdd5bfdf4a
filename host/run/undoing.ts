import type { Json } from "../../runtime/json.ts";
import type { Undo } from "./history.ts";
import { createOpenItems, type OpenItems } from "./open-items.ts";
import type { ItemsView } from "./items-view.ts";
import type { StepView } from "./run-state.ts";

/** What of a run tells how far its undoing is. */
interface Undoing {
  readonly undoing?: readonly Undo[];
  readonly steps: ReadonlyMap<string, StepView>;
  readonly items: Pick<ReadonlyMap<string, ItemsView>, "get">;
}

/** The items of a step that undoes those of another: the last that completed is the first. */
export function itemsToUndo(undone: ItemsView, at: number): ItemsView {
  const sequence = undone.order.toReversed();
  const places = new Map(sequence.map((item, place) => [item, place]));
  const open = createOpenItems(sequence.length);
  const byItem: OpenItems = {
    next: open.next,
    close: (item) => open.close(places.get(item) ?? sequence.length),
  };
  const { before, list } = undone;
  return {
    count: sequence.length,
    sequence,
    at,
    gives: "outputs",
    before,
    ...(list === undefined ? {} : { list }),
    open: byItem,
    results: new Map(),
    retrying: new Map(),
    order: [],
    failed: 0,
    bytes: 0,
  };
}

/** The steps all of whose effects are undone, and those of which something is left. */
export function undone({ undoing, steps }: Undoing): {
  readonly undone?: readonly string[];
  readonly notUndone?: readonly string[];
} {
  if (undoing === undefined) return {};
  const done = undoing.filter(({ by }) => steps.get(by)?.status === "completed").map(({ step }) => step);
  const left = undoing.filter(({ step }) => !done.includes(step)).map(({ step }) => step);
  return { undone: done, ...(left.length === 0 ? {} : { notUndone: left }) };
}

/** What has to run once more with the run, since it was undone, in part or as a whole. */
export function takenBack({ undoing = [], steps, items }: Undoing): readonly Undo[] {
  return undoing.filter(
    ({ by }) => steps.get(by)?.status === "completed" || (items.get(by)?.order.length ?? 0) > 0,
  );
}

/** What a step or an item put out, which is to be undone. */
export function outputToUndo({ steps, items }: Undoing, step: string, item?: number): Json {
  if (item === undefined) return steps.get(step)?.output ?? null;
  const result = items.get(step)?.results.get(item);
  return result?.ok === true ? result.output : null;
}
