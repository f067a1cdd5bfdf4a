import { isDeepStrictEqual } from "node:util";
import type { EdgeDocument, StepDocument } from "../../host/function/document.ts";
import { parseDuration } from "../../host/function/duration.ts";
import { attemptsOf, borneBy, itemsOf, type Attempt, type Attempted } from "./attempts.ts";
import { conditions, ofEvent, type FlowEvent, type Scenario } from "./scenario.ts";

/** What becomes of a step if nothing ends the run. */
export interface Step {
  readonly attempts: readonly Attempt[];
  /** When it is known whether the steps behind it can come. */
  readonly settledAt: number;
  readonly became: "completed" | "failed" | "skipped";
  /** The events that were waited for on the way there. */
  readonly took: readonly FlowEvent[];
  /** An event comes in the very moment in which the time for it is over. */
  readonly tied: boolean;
}

interface Edge extends Pick<Step, "took" | "tied"> {
  readonly taken: boolean;
  readonly at: number;
}

/** The beginning of a run. */
export const trigger: Step = { attempts: [], settledAt: 0, became: "completed", took: [], tied: false };
/** What is emitted may end waits behind which more is emitted, at most so often. */
const mostRounds = 12;

/** What becomes of each step if nothing ends the run: what steps emit may end waits of others, and so on. */
export function stepsOf(
  scenario: Scenario,
  apart: ReadonlySet<string>,
): ReadonlyMap<string, Step> | undefined {
  const { document, programs } = scenario;
  let emitted: readonly FlowEvent[] = [];
  for (let round = 0; round < mostRounds; round += 1) {
    const events = [...scenario.events, ...emitted].toSorted((one, other) => one.at - other.at);
    const steps = new Map<string, Step>();
    for (const [id, step] of Object.entries(document.steps))
      if (!apart.has(id)) steps.set(id, becomes(id, step, steps, { ...scenario, events }));
    const now = [...steps].flatMap(([id, { attempts }]) => {
      const { emits: name } = programs[id] ?? {};
      return attempts.flatMap(({ ok, to }) => (ok && name !== undefined ? [{ name, at: to, key: 1 }] : []));
    });
    if (isDeepStrictEqual(now, emitted)) {
      const known = now.map(({ name, at }) => `${name} ${at}`);
      const isTied = known.some((one, place) => known.indexOf(one) !== place);
      return isTied ? undefined : steps;
    }
    emitted = now;
  }
  return undefined;
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
  const made = attempted(id, step, step.join === "any" ? least(taken) : Math.max(...taken), of);
  const { attempts, settledAt, failed } = made;
  return { attempts, settledAt, became: failed ? "failed" : "completed", took, tied: tied || made.tied };
}

function attempted(
  id: string,
  { retry, forEach, invoke }: StepDocument,
  due: number,
  { programs, pauses }: Scenario,
): Attempted {
  const how = programs[id] ?? {};
  if (forEach === undefined)
    return attemptsOf(id, how, due, { retry, pauses, invokes: invoke !== undefined });
  const { items = [] } = how;
  const bears = borneBy(forEach, items.length);
  return itemsOf(id, items, due, { retry, pauses, bears, concurrency: forEach.concurrency ?? 10 });
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

/** The earliest of times; never, where there are none. */
export function least(times: readonly number[]): number {
  return Math.min(Number.POSITIVE_INFINITY, ...times);
}
