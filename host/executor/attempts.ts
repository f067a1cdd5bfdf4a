import type { LogLine } from "../../runtime/driver.ts";
import type { HistoryEntry } from "../run/history.ts";
import { attemptEntry } from "../run/attempt-entry.ts";
import { stepInput } from "../run/step-input.ts";
import { emittedResult, runAttempt } from "./attempt.ts";
import { linksOf, withLinks } from "./attempt-links.ts";
import { placeOf } from "../run/place.ts";
import type { RunLoopPorts, TakenRun } from "./run-loop-ports.ts";
import type { Execution } from "../run/execution.ts";

/** The attempts of one run that are under way here, and what has come of others. */
export interface Attempts {
  /** The places (see placeOf) that have one. */
  readonly underWay: ReadonlySet<string>;
  start(execution: Execution, view: TakenRun["view"]): void;
  /** Something else has happened that is to be recorded. */
  add(entries: readonly HistoryEntry[]): void;
  /** What has ended and was not taken yet. */
  readonly settled: boolean;
  take(): readonly HistoryEntry[];
  /** What was taken could not be stored: it comes again, unless it is in the history by now. */
  back(entries: readonly HistoryEntry[], history: readonly HistoryEntry[]): void;
  /** Ends what is under way: what does not succeed even so never happened. */
  cutOff(): void;
  /** Ends what is under way, and hears of it no more. */
  abandon(): void;
}

/** `onEnd` is called after each attempt. */
export function createAttempts(
  ports: Pick<RunLoopPorts, "clock" | "live" | "drivers" | "random" | "outbox" | "links">,
  header: TakenRun["header"],
  onEnd: () => void,
): Attempts {
  const { clock, live, drivers, random, outbox } = ports;
  const underWay = new Set<string>();
  let cut = new AbortController();
  let settled: HistoryEntry[] = [];

  const execute = async (execution: Execution, view: TakenRun["view"]): Promise<void> => {
    const { step, attempt, item } = execution;
    const startedAt = clock.now();
    const { id: runId, functionId } = header;
    const identity = { runId, functionId, step: step.id, attempt, ...(item && { item: item.index }) };
    if (live.observed) live.publish({ type: "attempt.started", at: startedAt, ...identity });
    const input = stepInput(header, view, execution, startedAt);
    const own = cut;
    const { signal } = own;
    const onLog = (line: LogLine): void => {
      if (live.observed) live.publish({ type: "attempt.logged", at: clock.now(), ...identity, line });
    };
    const links = await linksOf(execution, runId, ports.links);
    const ended = links.ok
      ? await runAttempt(drivers, execution, { input: withLinks(input, links.addresses), signal, onLog })
      : links.ended;
    if (own !== cut) return;
    underWay.delete(placeOf(step.id, item?.index));
    // An attempt that was cut off never happened: another one, with the same number, follows.
    if (!signal.aborted || ended.ok) {
      const at = clock.now();
      const result = emittedResult(ended, execution, { header, view, at }, outbox.check);
      settled.push(attemptEntry(execution, result, { startedAt, at }, random));
    }
    onEnd();
  };

  return {
    underWay,
    start(execution, view) {
      underWay.add(placeOf(execution.step.id, execution.item?.index));
      void execute(execution, view);
    },
    add: (entries) => void settled.push(...entries),
    get settled() {
      return settled.length > 0;
    },
    take() {
      const taken = settled;
      settled = [];
      return taken;
    },
    back(entries, history) {
      settled = [...entries, ...settled].filter((entry) => !history.some((known) => isSame(known, entry)));
    },
    cutOff: () => cut.abort(),
    abandon() {
      if (underWay.size === 0) return;
      cut.abort();
      cut = new AbortController();
      underWay.clear();
    },
  };
}

function isSame(known: HistoryEntry, entry: HistoryEntry): boolean {
  const item = "item" in entry ? entry.item : undefined;
  const knownItem = "item" in known ? known.item : undefined;
  if (known.type === "step.emitted")
    return (
      entry.type === known.type && known.step === entry.step && knownItem === item && known.at === entry.at
    );
  // Only what has ended says when it began.
  if (!("startedAt" in known) || !("startedAt" in entry)) return false;
  return known.step === entry.step && known.attempt === entry.attempt && knownItem === item;
}
