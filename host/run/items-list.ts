import type { Json } from "../../runtime/json.ts";
import type { ForEachDefinition, ProgramStep } from "../function/definition.ts";
import { awaitedBy, runScope, type EdgeMoment } from "./edges.ts";
import type { RecordedFailure } from "./history.ts";
import type { ItemsView } from "./items-view.ts";
import type { RunState } from "./run-state.ts";

/** Items that one list may have. */
const mostItems = 10_000;

/** A step that runs once an item. */
export type ForEachStep = ProgramStep & { readonly forEach: ForEachDefinition };

/** The items of a step, or why there are none. */
type ItemsList =
  | { readonly ok: true; readonly list: readonly Json[] }
  | { readonly ok: false; readonly failure: RecordedFailure };

/** Makes the list of what is recorded of the run, and of nothing else: it is the same whenever it is made. */
export function makeList(step: ForEachStep, state: RunState, moment: EdgeMoment): ItemsList {
  const { items } = step.forEach;
  const { event } = state;
  if (event === undefined) return refused("the run has no event");
  const async = awaitedBy(step, state, moment);
  const made = items.value(runScope(event, state, { steps: step.ancestors, from: step.id, async }));
  if (made.kind !== "value") return refused(`\`${items.source}\`: ${made.message}`);
  const { value } = made;
  if (!Array.isArray(value)) return refused(`\`${items.source}\` gives ${kindOf(value)}, not a list`);
  if (value.length > mostItems) {
    return refused(`\`${items.source}\` gives ${value.length} items; ${mostItems} are allowed`);
  }
  return { ok: true, list: value as readonly Json[] };
}

/** The list that was made when the step's items began. */
export function knownList(step: ForEachStep, items: ItemsView, moment: EdgeMoment): ItemsList {
  if (items.list !== undefined) return { ok: true, list: items.list };
  const again = makeList(step, items.before, { ...moment, now: items.at });
  if (!again.ok) return again;
  if (again.list.length !== items.count) {
    return refused(
      `\`${step.forEach.items.source}\` gives ${again.list.length} items, and gave ${items.count}`,
    );
  }
  items.list = again.list;
  return again;
}

function refused(why: string): ItemsList {
  return { ok: false, failure: { code: "ERR_ITEMS", message: `The step has no list of items: ${why}.` } };
}

function kindOf(value: Json): string {
  if (value === null) return "null";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
