import type { HistoryEntry } from "../../host/run/history.ts";
import type { EdgeDocument, FunctionDocument, StepDocument } from "../../host/function/document.ts";
import type { Runs } from "../../host/state/state.ts";
import { withCatalog, withRuns, type Break } from "./break.ts";
import { undoes } from "./documents-failing.ts";

/** What the simulation must find of items, of edges from failures, of what is undone, and of pauses in their midst. */
export const breaksOfFlows: Readonly<Record<string, Break>> = {
  "records an item in another's place": writing((entry) =>
    entry.type === "item.completed" ? [{ ...entry, item: entry.item === 0 ? 1 : 0 }] : [entry],
  ),
  "records what an item put out twice": writing((entry) =>
    entry.type === "item.completed" ? [entry, entry] : [entry],
  ),
  "says that a step completed before its items": writing((entry) =>
    entry.type === "items.begun" && entry.count > 0
      ? [entry, { type: "items.completed", at: entry.at, step: entry.step }]
      : [entry],
  ),
  "takes a list for longer than it is": writing((entry) =>
    entry.type === "items.begun" ? [{ ...entry, count: entry.count + 1 }] : [entry],
  ),
  "runs one item too many at once": understanding(({ forEach, ...step }) =>
    forEach === undefined
      ? step
      : { ...step, forEach: { ...forEach, concurrency: forEach.concurrency! + 1 } },
  ),
  "bears more items that fail than it may": understanding(({ forEach, ...step }) =>
    forEach === undefined ? step : { ...step, forEach: { ...forEach, onError: "continue", tolerate: 5 } },
  ),
  "bears no item that fails": understanding(({ forEach, ...step }) =>
    forEach?.onError === undefined
      ? { ...step, ...(forEach && { forEach }) }
      : { ...step, forEach: { ...forEach, tolerate: 0 } },
  ),
  "does not know where failures lead": understanding((step) => ({
    ...step,
    ...(step.after && { after: step.after.map(onSuccess) }),
  })),
  "undoes in the order in which it was done": reading((entry) =>
    entry.type === "run.compensating" ? [{ ...entry, steps: entry.steps.toReversed() }] : [entry],
  ),
  "has what was done first undone first": writing((entry) =>
    entry.type === "run.compensating" ? [{ ...entry, steps: entry.steps.toReversed() }] : [entry],
  ),
  "leaves out what completed last": writing((entry) =>
    entry.type === "run.compensating" ? [{ ...entry, steps: entry.steps.slice(1) }] : [entry],
  ),
  "undoes nothing": understanding((step) => {
    const { compensate, ...rest } = step;
    return compensate === undefined ? step : rest;
  }),
  "undoes once more what was undone": reading((entry) =>
    entry.type === "step.completed" && entry.step.startsWith(undoes) ? [] : [entry],
  ),
  "undoes items once more that were undone": reading((entry) =>
    entry.type === "item.completed" && entry.step.startsWith(undoes) ? [] : [entry],
  ),
  "says that all is undone": writing((entry) => {
    if (entry.type !== "run.failed" && entry.type !== "run.cancelled") return [entry];
    const { notUndone = [], ...rest } = entry;
    return [notUndone.length === 0 ? entry : { ...rest, undone: [...(entry.undone ?? []), ...notUndone] }];
  }),
  "ends a run in place of undoing what it did": withRuns((runs) => ({
    append(run, revision, entries, update) {
      const place = entries.findIndex(({ type }) => type === "run.cancelling");
      const cancelling = entries[place];
      if (cancelling === undefined) return runs.append(run, revision, entries, update);
      const { at } = cancelling;
      const all = [...entries.slice(0, place), { type: "run.cancelled", at } as const];
      return runs.append(run, revision, all, { status: "cancelled", finishedAt: at });
    },
  })),
  "goes on with what was to be cancelled": reading((entry) =>
    entry.type === "run.cancelling" ? [{ type: "run.resumed", at: entry.at }] : [entry],
  ),
  "goes on with what is paused": reading((entry) =>
    entry.type === "run.paused" ? [{ type: "run.resumed", at: entry.at }] : [entry],
  ),
};

type Change = (entry: HistoryEntry) => readonly HistoryEntry[];

/** Each entry is written otherwise. */
function writing(change: Change): Break {
  return withRuns((runs) => ({
    append: (run, revision, entries, update) => runs.append(run, revision, entries.flatMap(change), update),
  }));
}

/** Each entry is read otherwise by whoever takes up the run, or looks at it. */
function reading(change: Change): Break {
  return withRuns((runs) => {
    const load: Runs["load"] = async (runId) => {
      const run = await runs.load(runId);
      return run && { ...run, history: run.history.flatMap(change) };
    };
    return { load };
  });
}

/** Each step of a document is taken otherwise. */
function understanding(change: (step: StepDocument) => StepDocument): Break {
  const changed = (document: FunctionDocument): FunctionDocument => {
    const steps = Object.entries(document.steps).map(([id, step]) => [id, change(step)] as const);
    const undoing = (id: string): boolean => steps.some(([, { compensate }]) => compensate === id);
    const left = steps.filter(([id]) => !id.startsWith(undoes) || undoing(id));
    return { ...document, steps: Object.fromEntries(left) };
  };
  return withCatalog((catalog) => ({
    async getVersion(functionId, version) {
      const known = await catalog.getVersion(functionId, version);
      return known && { ...known, document: changed(known.document) };
    },
    active: async () =>
      (await catalog.active()).map((version) => ({ ...version, document: changed(version.document) })),
  }));
}

function onSuccess({ on, if: condition, ...edge }: EdgeDocument): EdgeDocument {
  if (on === "failure") return edge;
  return condition === undefined ? edge : { ...edge, if: condition };
}
