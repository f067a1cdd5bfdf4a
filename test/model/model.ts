import { parseDuration } from "../../host/function/duration.ts";
import type { EdgeDocument, FunctionDocument, StepDocument } from "../../host/function/document.ts";

/** Something that happens to a run from outside; times in milliseconds after the run's beginning. */
export interface FlowEvent {
  /** Before 0: it was there when the run began, and counts for nothing. */
  readonly at: number;
  readonly name: string;
  readonly key: number;
}

/** What a step's program does: it fails so many times, and then puts out the step's id. One that fails takes time. */
export interface Behaviour {
  readonly fails?: number;
  /** Its first failure is for good. */
  readonly fatal?: true;
  readonly takesMs?: number;
}

/** A document, and all that happens while a run of it goes on. */
export interface Scenario {
  /** Steps stand in topological order. Where a step has several edges, no two waits of one way are for the same event. */
  readonly document: Pick<FunctionDocument, "steps" | "onFailure" | "timeout" | "cancel">;
  readonly programs: Readonly<Record<string, Behaviour>>;
  /** In the order of their times. */
  readonly events: readonly FlowEvent[];
  /** In order, one after the other. */
  readonly pauses: readonly { readonly from: number; readonly to: number }[];
  readonly cancelAt?: number;
}

/** What must become of the run. */
export interface Expected {
  readonly status: "completed" | "failed" | "cancelled";
  readonly endsAt: number;
  /** When each attempt of each step begins; a step that is not there never runs. */
  readonly attempts: Readonly<Record<string, readonly number[]>>;
  /** Of a run that completed; sorted. */
  readonly skipped: readonly string[];
}

/** The conditions that documents have, and whether they hold for a run of key 1 and steps that put out their ids. */
export const conditions: Readonly<Record<string, boolean>> = {
  "data.key == 1": true,
  "data.key > 1": false,
  // Not there; of a type that has no such operator.
  "data.none == 1": false,
  "data.key + 'x' == 'x'": false,
};
/** One that is decided when the event has come. */
export const ofEvent = "async.data.key == 1";
export const sameKey = "async.data.key == event.data.key";

interface Step {
  readonly attempts: readonly Attempt[];
  /** When it is known whether the steps behind it can come. */
  readonly settledAt: number;
  readonly became: "completed" | "failed" | "skipped";
  /** The events that were waited for on the way there. */
  readonly took: readonly FlowEvent[];
  /** An event comes in the very moment in which the time for it is over. */
  readonly tied: boolean;
}

interface Attempt {
  readonly from: number;
  readonly to: number;
}

interface Edge extends Pick<Step, "took" | "tied"> {
  readonly taken: boolean;
  readonly at: number;
}

const trigger: Step = { attempts: [], settledAt: 0, became: "completed", took: [], tied: false };
const never = Number.POSITIVE_INFINITY;

/**
 * What a flow must do, said as plainly as can be: when each edge is taken, from that when each step runs, and what ends
 * all of it. Undefined where it is not said which of two things that happen at once is the first.
 */
export function expectedOf(scenario: Scenario): Expected | undefined {
  const { document, pauses } = scenario;
  const steps = new Map<string, Step>();
  for (const [id, step] of Object.entries(document.steps)) {
    if (id !== document.onFailure) steps.set(id, becomes(id, step, steps, scenario));
  }
  if ([...steps.values()].some((step) => step.tied)) return undefined;
  const failedAt = least([...steps].map(([id, step]) => uncaughtAt(id, step, steps, document)));
  const settledAt = Math.max(...[...steps.values()].map((step) => step.settledAt));
  const timesOutAt = document.timeout === undefined ? never : parseDuration(document.timeout)!;
  const { cancelAt = never } = scenario;
  const eventAt = cancelEventAt(scenario);
  const ends = [failedAt, failedAt === never ? settledAt : never, timesOutAt, cancelAt, eventAt];
  const end = least(ends);
  const completes = failedAt === never && end === settledAt;
  const attempts = new Map(
    [...steps].map(([id, step]) => [id, step.attempts.filter(({ from }) => completes || from < end)]),
  );
  const tied =
    !completes && [...steps.values()].some((step) => step.attempts.some(({ from }) => from === end));
  if (tied || ends.filter((at) => at === end).length > 1) return undefined;

  const told = (status: Expected["status"], endsAt: number): Expected => ({
    status,
    endsAt,
    attempts: Object.fromEntries(
      [...attempts].filter(([, all]) => all.length > 0).map(([id, all]) => [id, all.map(({ from }) => from)]),
    ),
    skipped:
      status === "completed"
        ? [...steps].flatMap(([id, { became }]) => (became === "skipped" ? [id] : [])).toSorted()
        : [],
  });
  if (end === cancelAt || end === eventAt) return told("cancelled", end);
  if (completes) return told("completed", end);

  // What is under way when a step fails may end; a run that has no time left has none for it.
  const underWay = [...attempts.values()].flat().map(({ to }) => to);
  const quietAt = end === failedAt ? Math.max(end, ...underWay) : end;
  const handler = document.onFailure === undefined ? undefined : document.steps[document.onFailure];
  let endsAt = quietAt;
  if (handler !== undefined) {
    const handled = attemptsOf(document.onFailure!, handler, quietAt, scenario);
    if (handled.some(({ from }) => from === cancelAt)) return undefined;
    attempts.set(
      document.onFailure!,
      handled.filter(({ from }) => from < cancelAt),
    );
    endsAt = handled.at(-1)!.to;
  }
  if (cancelAt === endsAt) return undefined;
  return cancelAt < endsAt ? told("cancelled", cancelAt) : told("failed", endsAt);

  function attemptsOf(id: string, { retry }: StepDocument, due: number, of: Scenario): readonly Attempt[] {
    const { fails = 0, fatal, takesMs = 0 } = of.programs[id] ?? {};
    const failures = fatal === true ? 1 : Math.min(fails, (retry?.retries ?? 0) + 1);
    const all: Attempt[] = [];
    for (let at = due, backoff = parseDuration(retry?.backoff?.initial ?? "0s")!; ;) {
      const from = unpaused(at, pauses);
      all.push({ from, to: from + takesMs });
      const last = all.length === failures && (fatal === true || failures === (retry?.retries ?? 0) + 1);
      if (last || all.length > failures) return all;
      at = from + takesMs + backoff;
      backoff *= retry?.backoff?.factor ?? 1;
    }
  }

  function becomes(id: string, step: StepDocument, before: ReadonlyMap<string, Step>, of: Scenario): Step {
    const after = step.after ?? [{ step: "$trigger" }];
    const edges = after.map((edge) => edgeOf(edge, before, of.events));
    const taken = edges.flatMap((edge) => (edge.taken ? [edge.at] : []));
    const dead = edges.flatMap((edge) => (edge.taken ? [] : [edge.at]));
    const took = edges.flatMap((edge) => edge.took);
    const tied = edges.some((edge) => edge.tied);
    const starts = step.join === "any" ? taken.length > 0 : dead.length === 0;
    if (!starts) {
      const settledAt = step.join === "any" ? Math.max(...dead) : least(dead);
      return { attempts: [], settledAt, became: "skipped", took, tied };
    }
    const all = attemptsOf(id, step, step.join === "any" ? least(taken) : Math.max(...taken), of);
    const { fails = 0, fatal } = of.programs[id] ?? {};
    const fail = fatal === true || fails > (step.retry?.retries ?? 0);
    return { attempts: all, settledAt: all.at(-1)!.to, became: fail ? "failed" : "completed", took, tied };
  }
}

/** Whether an edge is taken, and from when on that is so. */
function edgeOf(edge: EdgeDocument, steps: ReadonlyMap<string, Step>, events: readonly FlowEvent[]): Edge {
  const from = steps.get(edge.step) ?? trigger;
  const { settledAt, took, tied } = from;
  if (from.became !== (edge.on === "failure" ? "failed" : "completed"))
    return { taken: false, at: settledAt, took, tied };
  if (edge.if !== undefined && edge.if !== ofEvent && conditions[edge.if] !== true)
    return { taken: false, at: settledAt, took, tied };
  const waited = settledAt + parseDuration(edge.wait ?? "0s")!;
  if (edge.async === undefined) return { taken: true, at: waited, took, tied };
  const { event, match, onTimeout } = edge.async;
  const until = settledAt + parseDuration(edge.async.ttl)!;
  const found = events.find(
    (one) =>
      one.at >= 0 &&
      one.at <= until &&
      one.name === event &&
      (match === undefined || one.key === 1) &&
      !took.includes(one),
  );
  // One that came before the wait began ends it as it begins.
  const endsAt = found === undefined ? until : Math.max(found.at, settledAt);
  const holds = found === undefined ? onTimeout === true : onTimeout !== true;
  const both = { tied: tied || found?.at === until };
  const now = found === undefined ? took : [...took, found];
  if (!holds || (edge.if === ofEvent && found?.key !== 1))
    return { taken: false, at: endsAt, took: now, ...both };
  return { taken: true, at: Math.max(waited, endsAt), took: now, ...both };
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

/** When something that is due then may begin. */
function unpaused(at: number, pauses: Scenario["pauses"]): number {
  return pauses.reduce((due, { from, to }) => (due >= from && due < to ? to : due), at);
}

function least(times: readonly number[]): number {
  return Math.min(never, ...times);
}
