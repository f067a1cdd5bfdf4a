import type { FunctionDocument, StepDocument } from "../function/document.ts";
import { parseDuration } from "../function/duration.ts";
import { triggerStep } from "../function/document.ts";
import type { RunView } from "./run-view.ts";

/**
 * Until when the `wait`s of its document keep a step from beginning, in milliseconds since 1970-01-01T00:00:00Z; undefined
 * where they do not, or where it is not known yet since a step before it has not ended.
 */
export function sleepsUntil(document: FunctionDocument, id: string, view: RunView): number | undefined {
  const step = document.steps[id];
  if (step?.after === undefined || view.steps.has(id)) return undefined;
  const times = step.after.map((edge) => begins(edge, view));
  const known = times.filter((time) => time !== undefined);
  if (known.length === 0 || (step.join !== "any" && known.length < times.length)) return undefined;
  const at = step.join === "any" ? Math.min(...known) : Math.max(...known);
  return step.after.some(({ wait }) => wait !== undefined) && Number.isFinite(at) ? at : undefined;
}

/** When the edge is taken as far as its `wait` goes; what else it may wait for is told elsewhere. */
function begins(
  { step: from, on, wait }: NonNullable<StepDocument["after"]>[number],
  view: RunView,
): number | undefined {
  const before = from === triggerStep ? undefined : view.steps.get(from);
  const ended = on === "failure" ? "failed" : "completed";
  if (from !== triggerStep && before?.status !== ended) return undefined;
  return (before?.at ?? view.startedAt) + (wait === undefined ? 0 : (parseDuration(wait) ?? 0));
}
