import {
  triggerStep,
  type EdgeDocument,
  type FunctionDocument,
  type StepDocument,
} from "../../host/function/document.ts";
import type { RuntimeName } from "../../runtime/driver.ts";
import type { Chance } from "./chance.ts";
import { emitting } from "./documents-items.ts";

/** The one condition of edges from failures: programs fail so, items and what is invoked do not. */
export const byProgram = "failure.code == 'ERR_STEP_FAILED'";

/** What the ids of steps begin with that undo others. */
export const undoes = "undo-";

/** Has some edges lead from failures. */
export function withFailureEdges(document: FunctionDocument, chance: Chance): FunctionDocument {
  const steps = Object.entries(document.steps).map(([id, step]): [string, StepDocument] => {
    if (step.after === undefined) return [id, step];
    const after = step.after.map((edge): EdgeDocument => {
      const { if: _, async, ...rest } = edge;
      if (edge.step === triggerStep || async !== undefined || !chance.happens(0.4)) return edge;
      return { ...rest, on: "failure", ...(chance.happens(0.3) ? { if: byProgram } : {}) };
    });
    return [id, { ...step, after }];
  });
  return { ...document, steps: Object.fromEntries(steps) };
}

/** Has some steps undone by others, which run, or invoke a function, and emit now and then. */
export function withCompensations(
  document: FunctionDocument,
  chance: Chance,
  invoke: () => StepDocument["invoke"],
  runtime: () => RuntimeName,
): FunctionDocument {
  const steps: Record<string, StepDocument> = {};
  for (const [id, step] of Object.entries(document.steps)) {
    if (id === document.onFailure || !chance.happens(0.6)) {
      steps[id] = step;
      continue;
    }
    const by = `${undoes}${id}`;
    const invokes = step.forEach === undefined && chance.happens(0.25) ? invoke() : undefined;
    steps[id] = { ...step, compensate: by };
    steps[by] =
      invokes === undefined
        ? { runtime: { type: runtime() }, ...emitting(chance) }
        : { invoke: invokes, retry: { retries: 1 } };
  }
  return { ...document, steps };
}
