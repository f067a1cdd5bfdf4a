import type { Json } from "../../runtime/json.ts";
import type { StoredEvent } from "../broker/broker.ts";
import type { Clock } from "../clock.ts";
import type { CollectDefinition, Definition } from "../function/definition.ts";
import type { Live } from "../live.ts";
import type { Gates, RunHeader, Runs } from "../state/state.ts";
import { createCollectedRuns } from "./collected-runs.ts";
import { fitting } from "../run/collecting.ts";
import { collectedRunId } from "../run/run-id.ts";

/** A version of a function whose runs collect events. */
export type CollectingFunction = Definition & { readonly collects: CollectDefinition };

/** An event on its way into a run. */
export interface CollectItem {
  readonly stored: StoredEvent;
  readonly id: string;
  /** As characters of JSON. */
  readonly size: number;
  /** The run that it would have of its own. */
  readonly own: RunHeader;
  /** The run that it was assigned to. */
  into?: string | undefined;
  /** It is in a run, or another line has it. */
  settled?: true;
  resolve(where: "collected" | "own"): void;
  reject(error: unknown): void;
}

/** The runs into which the events of one version of a function go that have a key in common. */
export interface CollectLine {
  /** Resolves when each of the events is in a run, or belongs to another version. */
  place(group: readonly CollectItem[]): Promise<void>;
}

export interface CollectLineOptions {
  readonly runs: Runs;
  readonly gates: Gates;
  readonly clock: Clock;
  readonly live: Live;
  /** Hears of every timer that was stored. */
  armed(wakeAt: number): void;
  /** Has a run looked at by whoever holds it, or may; durable when it resolves. */
  wake(runId: string, holder: string | undefined): Promise<void>;
  /** An event that another version of the function has taken first: it stays with that. */
  elsewhere(item: CollectItem, version: string): Promise<void>;
}

interface Subject {
  readonly definition: CollectingFunction;
  /** The line's document in the store. */
  readonly name: string;
  /** What the events have in common. */
  readonly key: Json | undefined;
}

/** How long it is remembered which run collects, beyond its time, in milliseconds. */
const keptMs = 30 * 24 * 3_600_000;
const longestMs = 366 * 24 * 3_600_000;

/**
 * Three writes say where an event goes. The line's document names the run that collects; the event is assigned to that
 * run, in the place of a run of its own; then it is appended to the run's history. An event may move on from a run that
 * has begun without it, and from no other. So it is in one run, whichever hosts had it, and wherever one of them ended.
 */
export function createCollectLine(
  options: CollectLineOptions,
  { definition, name, key }: Subject,
): CollectLine {
  const { runs, gates, clock } = options;
  const { collects } = definition;
  const collected = createCollectedRuns({ ...options, definition, key });
  /** The run that collects now, as far as this host knows. */
  let gate: { readonly revision: number; readonly runId: string } | undefined;

  const loadGate = async (): Promise<void> => {
    const document = await gates.load(name);
    gate = document && { revision: document.revision, runId: (document.value as { run: string }).run };
  };

  /** Names the next run, unless another host was before. */
  const nextRun = async ([first]: readonly CollectItem[]): Promise<void> => {
    const runId = collectedRunId(definition.id, first?.id ?? "", { key: name, earlier: gate?.runId });
    const keepMs = (collects.timeoutMs ?? longestMs) + keptMs;
    const revision = await gates.store(name, { run: runId }, gate?.revision ?? null, keepMs);
    gate = revision === undefined ? undefined : { revision, runId };
  };

  /** The event was assigned before, to another run of the line: it is there, or that one has begun without it. */
  const moveOn = async (item: CollectItem, from: string, into: string): Promise<void> => {
    collected.forget();
    const earlier = await collected.load(from);
    if (earlier?.has(item.id) === true) {
      await collected.add(from, [item]);
      return settle(item, "collected");
    }
    if (earlier !== undefined && earlier.collecting === undefined) {
      item.into = (await runs.reassign(item.own, from, into))?.runId;
      return undefined;
    }
    // That one collects yet, or is to be created: another host knows better which run is the line's by now.
    gate = undefined;
    const room = fitting([item], collects, earlier?.collecting);
    if (room.length === 0) await collected.begin(from, "size");
    else if (await collected.add(from, [item])) settle(item, "collected");
    return undefined;
  };

  /** Has the events go into this run; resolves to those that do. */
  const assign = async (some: readonly CollectItem[], into: string): Promise<readonly CollectItem[]> => {
    const open = some.filter((item) => item.into !== into);
    const own = open.map((item) => item.own);
    const went = own.length === 0 ? [] : await runs.assign(own, into);
    for (const [index, item] of open.entries()) {
      const assignment = went[index];
      item.into = assignment?.runId;
      if (assignment === undefined) settle(item, "own");
      else if (assignment.functionVersion !== definition.version) {
        item.settled = true;
        await options.elsewhere(item, assignment.functionVersion);
      } else if (assignment.runId !== into) await moveOn(item, assignment.runId, into);
    }
    return some.filter(({ into: where, settled }) => where === into && settled !== true);
  };

  /** One step on the way of a group; resolves to what is left of it. */
  const step = async (left: readonly CollectItem[]): Promise<readonly CollectItem[]> => {
    if (gate === undefined) await loadGate();
    const runId = gate?.runId;
    const run = runId === undefined ? undefined : await collected.load(runId);
    if (runId === undefined || (run !== undefined && run.collecting === undefined)) {
      await nextRun(left);
      return left;
    }
    const some = fitting(left, collects, run?.collecting);
    const isDue = run?.collecting !== undefined && run.collecting.until <= clock.now();
    if (isDue || some.length === 0) {
      // Nobody has had it begin by now, or what comes next is too large for it.
      await collected.begin(runId, isDue ? "time" : "size");
      return left;
    }
    const here = await assign(some, runId);
    if (here.length > 0 && (await collected.add(runId, here))) {
      for (const item of here) settle(item, "collected");
    }
    return left.filter(({ settled }) => settled !== true);
  };

  return {
    async place(group) {
      try {
        for (let left = group; left.length > 0;) left = await step(left);
      } catch (error) {
        gate = undefined;
        collected.forget();
        throw error;
      }
    },
  };
}

function settle(item: CollectItem, where: "collected" | "own"): void {
  item.settled = true;
  item.resolve(where);
}
