import type { RetryDocument, StepDocument } from "../../host/function/document.ts";
import { parseDuration } from "../../host/function/duration.ts";
import type { Behaviour, Scenario } from "./scenario.ts";

/** One attempt of a step, or of an item of it. */
export interface Attempt {
  /** The step's id, or that and the item's place in the list: "s1#0". */
  readonly place: string;
  readonly from: number;
  readonly to: number;
  readonly ok: boolean;
  /** No other follows. */
  readonly last: boolean;
}

/** What becomes of all attempts of a step if nothing else ends them. */
export interface Attempted {
  readonly attempts: readonly Attempt[];
  readonly settledAt: number;
  readonly failed: boolean;
  /** It is not said which of two things that happen at once is the first. */
  readonly tied: boolean;
}

interface Policy {
  readonly retry?: RetryDocument | undefined;
  readonly pauses: Scenario["pauses"];
  /** A run that is invoked may be invoked again, whatever its failure. */
  readonly invokes?: boolean;
}

/** The attempts of a program that may begin at `due`. */
export function attemptsOf(
  place: string,
  { fails = 0, fatal, takesMs = 0 }: Behaviour,
  due: number,
  { retry, pauses, invokes = false }: Policy,
): Attempted {
  const most = (retry?.retries ?? 0) + 1;
  const failures = fatal === true ? (invokes ? most : 1) : Math.min(fails, most);
  const attempts: Attempt[] = [];
  for (let at = due, backoff = parseDuration(retry?.backoff?.initial ?? "0s")!; ;) {
    const from = unpaused(at, pauses);
    const to = from + takesMs;
    const ok = attempts.length === failures;
    const last = ok || attempts.length + 1 === (fatal === true && !invokes ? 1 : most);
    attempts.push({ place, from, to, ok, last });
    if (last) return { attempts, settledAt: to, failed: !ok, tied: false };
    at = to + backoff;
    backoff *= retry?.backoff?.factor ?? 1;
  }
}

/** Those of the items of a list, `sequence` being the order in which they begin: so many at once, and so many may fail. */
export function itemsOf(
  id: string,
  behaviours: readonly Behaviour[],
  due: number,
  {
    concurrency,
    bears,
    sequence = behaviours.map((_, item) => item),
    ...policy
  }: Policy & {
    readonly concurrency: number;
    readonly bears: number;
    readonly sequence?: readonly number[];
  },
): Attempted {
  const places = Array.from({ length: concurrency }, () => due);
  const all: Attempt[] = [];
  for (const item of sequence) {
    const next = places.indexOf(Math.min(...places));
    const { attempts, settledAt } = attemptsOf(
      `${id}#${item}`,
      behaviours[item] ?? {},
      places[next]!,
      policy,
    );
    all.push(...attempts);
    places[next] = settledAt;
  }
  const failures = all.filter(({ ok, last }) => last && !ok).toSorted((one, other) => one.to - other.to);
  const fault = failures[bears]?.to;
  if (fault === undefined) {
    // The list is made when the step may begin.
    const settledAt = Math.max(unpaused(due, policy.pauses), ...all.map(({ to }) => to));
    return { attempts: all, settledAt, failed: false, tied: false };
  }
  // What is under way may end, and nothing else begins.
  const attempts = all.filter(({ from }) => from < fault);
  return {
    attempts,
    settledAt: Math.max(fault, ...attempts.map(({ to }) => to)),
    failed: true,
    tied: attempts.filter(({ to }) => to === fault).length > 1 || isLate(all, fault),
  };
}

/** Another item's next attempt is due as the step fails. */
function isLate(all: readonly Attempt[], fault: number): boolean {
  return all.some(
    ({ from, place }) => from === fault && all.some((one) => one.place === place && one.from < fault),
  );
}

/** How many items of a step may fail. */
export function borneBy({ onError, tolerate }: NonNullable<StepDocument["forEach"]>, count: number): number {
  if (onError !== "continue") return 0;
  if (tolerate === undefined) return count;
  return typeof tolerate === "number" ? tolerate : Math.floor((Number.parseFloat(tolerate) / 100) * count);
}

/** When something that is due then may begin. */
function unpaused(at: number, pauses: Scenario["pauses"]): number {
  return pauses.reduce((due, { from, to }) => (due >= from && due < to ? to : due), at);
}
