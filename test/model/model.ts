import { stepsApart } from "../../host/function/document.ts";
import { parseDuration } from "../../host/function/duration.ts";
import { attemptsOf, type Attempt } from "./attempts.ts";
import { conditions, type Expected, type Scenario } from "./scenario.ts";
import { undo } from "./undoing.ts";
import { least, stepsOf, trigger, type Step } from "./way.ts";

const never = Number.POSITIVE_INFINITY;

/**
 * What a flow must do, said as plainly as can be: when each edge is taken, from that when each step runs, and what ends
 * all of it. Undefined where it is not said which of two things that happen at once is the first.
 */
export function expectedOf(scenario: Scenario): Expected | undefined {
  const { document } = scenario;
  const apart = stepsApart(document);
  const steps = stepsOf(scenario, apart);
  if (steps === undefined || [...steps.values()].some((step) => step.tied)) return undefined;
  const failedAt = least([...steps].map(([id, step]) => uncaughtAt(id, step, steps, document)));
  const settledAt = Math.max(...[...steps.values()].map((step) => step.settledAt));
  const timesOutAt = document.timeout === undefined ? never : parseDuration(document.timeout)!;
  const { cancelAt = never } = scenario;
  const eventAt = cancelEventAt(scenario);
  const ends = [failedAt, failedAt === never ? settledAt : never, timesOutAt, cancelAt, eventAt];
  const end = least(ends);
  const completes = failedAt === never && end === settledAt;
  const began = new Map(
    [...steps].map(([id, step]) => [id, step.attempts.filter(({ from }) => completes || from < end)]),
  );
  const tied =
    !completes && [...steps.values()].some((step) => step.attempts.some(({ from }) => from === end));
  if (tied || ends.filter((at) => at === end).length > 1) return undefined;
  const skipped = [...steps].flatMap(([id, { became }]) => (became === "skipped" ? [id] : [])).toSorted();
  const told = (
    status: Expected["status"],
    endsAt: number,
    more: readonly Attempt[] = [],
    left: Pick<Expected, "undone" | "notUndone"> = { undone: [], notUndone: [] },
  ): Expected => ({
    status,
    endsAt,
    attempts: timesOf([...[...began.values()].flat(), ...more]),
    skipped: status === "completed" ? skipped : [],
    undone: left.undone,
    notUndone: left.notUndone,
  });
  if (completes) return told("completed", end);

  const isCancelled = end === cancelAt || end === eventAt;
  const undoes = Object.values(document.steps).some(({ compensate }) => compensate !== undefined);
  if (isCancelled && !undoes) return told("cancelled", end);
  // What is under way may end. A run that has no time left has none for it, nor a cancelled one for what it has invoked.
  const outOfTime = end === timesOutAt;
  const mayEnd = (id: string): boolean =>
    !outOfTime && (end === failedAt || document.steps[id]?.invoke === undefined);
  const underWay = [...began].flatMap(([id, all]) => (mayEnd(id) ? all : []));
  const quietAt = Math.max(end, ...underWay.map(({ to }) => to));
  if (end !== failedAt && [...began.values()].flat().some(({ to }) => to === end)) return undefined;
  // Whoever cancels what is paused has it go on.
  const asked = Math.min(cancelAt, isCancelled ? end : never);
  const pauses = scenario.pauses.map(({ from, to }) => ({
    from,
    to: asked > from && asked < to ? asked : to,
  }));
  // What is waited for no longer, since the run is cancelled while that ends which was under way.
  if (cancelAt > end && cancelAt <= quietAt && undoes && invokes(began, document, cancelAt)) return undefined;
  const counts = new Map(
    [...began].map(([id, all]) => [id, mayEnd(id) ? all : all.filter(({ to }) => to < end)]),
  );
  const completedAt = (id: string): number | undefined => {
    const { became, settledAt: at } = steps.get(id) ?? trigger;
    return became === "completed" && at < end ? at : undefined;
  };
  if ([...steps.values()].some((step) => step.attempts.length === 0 && step.settledAt === end))
    return undefined;
  const back = undo(scenario, counts, completedAt, { from: quietAt, pauses });
  if (back === undefined || cancelAt === back.endsAt) return undefined;
  if (isCancelled) return told("cancelled", back.endsAt, back.attempts, back);
  if (cancelAt < back.endsAt) {
    return undoes
      ? told("cancelled", back.endsAt, back.attempts, back)
      : told("cancelled", cancelAt, back.attempts, back);
  }
  const { onFailure } = document;
  const handler = onFailure === undefined ? undefined : document.steps[onFailure];
  if (onFailure === undefined || handler === undefined)
    return told("failed", back.endsAt, back.attempts, back);
  const { retry } = handler;
  const handled = attemptsOf(onFailure, scenario.programs[onFailure] ?? {}, back.endsAt, { retry, pauses });
  const all = [...back.attempts, ...handled.attempts.filter(({ from }) => from < cancelAt)];
  if (cancelAt === handled.settledAt || handled.attempts.some(({ from }) => from === cancelAt))
    return undefined;
  if (cancelAt < handled.settledAt) return told("cancelled", cancelAt, all, back);
  return told("failed", handled.settledAt, all, back);
}

/** A step that invokes a function is under way then. */
function invokes(
  began: ReadonlyMap<string, readonly Attempt[]>,
  { steps }: Scenario["document"],
  at: number,
): boolean {
  return [...began].some(
    ([id, all]) => steps[id]?.invoke !== undefined && all.some(({ from, to }) => from <= at && to >= at),
  );
}

function timesOf(attempts: readonly Attempt[]): Expected["attempts"] {
  const byPlace = Map.groupBy(attempts, ({ place }) => place);
  return Object.fromEntries([...byPlace].map(([place, all]) => [place, all.map(({ from }) => from)]));
}

/** When a run fails by a step: never, where the failure leads somewhere. */
function uncaughtAt(
  id: string,
  { became, settledAt }: Step,
  steps: ReadonlyMap<string, Step>,
  document: Scenario["document"],
): number {
  if (became !== "failed") return never;
  const dead = Object.entries(document.steps).flatMap(([to, { after = [] }]) =>
    after
      .filter(({ step, on }) => step === id && on === "failure")
      .map((edge) => {
        if (edge.if !== undefined && conditions[edge.if] !== true) return settledAt;
        const behind = steps.get(to);
        return behind?.became === "skipped" ? Math.max(settledAt, behind.settledAt) : never;
      }),
  );
  return Math.max(settledAt, ...dead);
}

function cancelEventAt({ document, events }: Scenario): number {
  const times = (document.cancel ?? []).flatMap((cancel) => {
    const until = cancel.timeout === undefined ? never : parseDuration(cancel.timeout)!;
    const found = events.find(
      ({ at, name, key }) =>
        at >= 0 && at <= until && name === cancel.event && (cancel.if === undefined || key === 1),
    );
    return found === undefined ? [] : [found.at];
  });
  return least(times);
}
