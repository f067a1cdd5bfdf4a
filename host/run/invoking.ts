import type { Definition, StepDefinition } from "../function/definition.ts";
import type { HistoryEntry } from "./history.ts";
import { invocation, nextLook } from "./invocation.ts";
import type { RunView } from "./run-view.ts";
import type { WaitMoment } from "./wait-decisions.ts";

/** Begins an attempt of a step that has no program. */
export function invoke(
  definition: Definition,
  step: StepDefinition,
  view: RunView,
  moment: WaitMoment,
  decide: (entry: HistoryEntry) => void,
): void {
  const { invoke: invokes } = step;
  if (invokes !== undefined) decide(invocation(definition, { ...step, invoke: invokes }, view, moment));
}

/** When one of the runs that were invoked must be looked at; infinite when there are none. */
export function looksAt({ invoked }: RunView, { now }: Pick<WaitMoment, "now">): number {
  return Math.min(Number.POSITIVE_INFINITY, ...[...invoked.values()].map((one) => nextLook(one, now)));
}
