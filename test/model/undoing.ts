import type { StepDocument } from "../../host/function/document.ts";
import { attemptsOf, itemsOf, type Attempt } from "./attempts.ts";
import type { Scenario } from "./scenario.ts";

/** What is undone of a run that goes on no more. */
interface Undone {
  /** By what undoes: when it begins. */
  readonly attempts: readonly Attempt[];
  readonly endsAt: number;
  readonly undone: readonly string[];
  readonly notUndone: readonly string[];
}

/**
 * Undoes the steps that completed, one after the other from `from` on, the last that completed first; undefined where it is
 * not said which of two that completed at once was the last. `ended`: the attempts of each step that count.
 */
export function undo(
  { document, programs }: Scenario,
  ended: ReadonlyMap<string, readonly Attempt[]>,
  settledAt: (step: string) => number | undefined,
  { from, pauses }: { readonly from: number; readonly pauses: Scenario["pauses"] },
): Undone | undefined {
  const owed = Object.entries(document.steps).flatMap(([id, step]) => {
    if (step.compensate === undefined) return [];
    const done = (ended.get(id) ?? []).filter(({ ok }) => ok);
    const settled = step.forEach === undefined ? undefined : settledAt(id);
    if (done.length === 0 && settled === undefined) return [];
    const at = done.length === 0 ? settled! : Math.max(...done.map(({ to }) => to));
    return [{ id, step, by: step.compensate, done, at }];
  });
  if (new Set(owed.map(({ at }) => at)).size < owed.length) return undefined;
  const attempts: Attempt[] = [];
  const undone: string[] = [];
  const notUndone: string[] = [];
  let endsAt = from;
  for (const { id, step, by, done } of owed.toSorted((one, other) => other.at - one.at)) {
    const tied = new Set(done.map(({ to }) => to)).size < done.length;
    if (tied) return undefined;
    const made = step.forEach === undefined ? once(by, endsAt) : each(by, step.forEach, done, endsAt);
    attempts.push(...made.attempts);
    ({ settledAt: endsAt } = made);
    (made.failed ? notUndone : undone).push(id);
  }
  return { attempts, endsAt, undone, notUndone };

  function once(by: string, due: number) {
    const { retry, invoke } = document.steps[by] ?? {};
    return attemptsOf(by, programs[by] ?? {}, due, { retry, pauses, invokes: invoke !== undefined });
  }

  function each(
    by: string,
    { concurrency = 10 }: NonNullable<StepDocument["forEach"]>,
    done: readonly Attempt[],
    due: number,
  ) {
    const sequence = done
      .toSorted((one, other) => other.to - one.to)
      .map(({ place }) => Number(place.slice(place.indexOf("#") + 1)));
    // Nothing has to begin for that.
    if (sequence.length === 0) return { attempts: [], settledAt: due, failed: false };
    const { items = [] } = programs[by] ?? {};
    const { retry } = document.steps[by] ?? {};
    const made = itemsOf(by, items, due, { concurrency, bears: items.length, sequence, retry, pauses });
    return { ...made, failed: made.attempts.some(({ ok, last }) => last && !ok) };
  }
}
