import type { StoredEvent } from "../../host/broker/broker.ts";
import type { HistoryEntry } from "../../host/run/history.ts";
import { foldHistory } from "../../host/run/run-view.ts";
import { define, functionVersion } from "../../host/function/define.ts";
import type { Definition, WaitDefinition } from "../../host/function/definition.ts";
import type { EdgeDocument, FunctionDocument } from "../../host/function/document.ts";
import type { FunctionVersion } from "../../host/function/version.ts";
import { largeToo, sameKey } from "./documents.ts";
import type { RunRecord } from "./server-runs.ts";

type Violated = (what: string) => void;
type Started = Extract<HistoryEntry, { type: "run.started" }>;
type Armed = Extract<HistoryEntry, { type: "wait.armed" }>;
type Matched = Extract<HistoryEntry, { type: "wait.matched" }>;

interface Data {
  readonly large: boolean;
  readonly key: number;
}

/** No wait is missed, none is resolved twice, none by what it does not wait for. */
export function checkWaits(
  { history }: RunRecord,
  version: FunctionVersion,
  stored: readonly StoredEvent[],
  violated: Violated,
): void {
  const [first] = history;
  // Of a run that has collected events, its own is that with which it began.
  const { event, eventSeq } = foldHistory(history);
  const own = { ...(event === undefined ? {} : { event }), ...(eventSeq === undefined ? {} : { eventSeq }) };
  const started = first?.type === "run.started" ? { ...first, ...own } : first;
  const { waits } = define(version);
  const mentioned = new Set(history.flatMap((entry) => ("wait" in entry ? [entry.wait] : [])));
  for (const id of mentioned) {
    const wait = waits.get(id);
    const told: Violated = (what) => violated(`wait ${id}: ${what}`);
    const [armed, ...ends] = history.filter((entry) => "wait" in entry && entry.wait === id);
    if (wait === undefined || started?.type !== "run.started") told("it is not of its version");
    else if (armed?.type !== "wait.armed") told("it does not begin with its beginning");
    else if (ends.length > 1) told(`it ends ${ends.length} times`);
    else if (ends.length === 1) checkEnd({ wait, armed, started, history, stored }, ends[0]!, told);
  }
}

interface Wait {
  readonly wait: WaitDefinition;
  readonly armed: Armed;
  readonly started: Started;
  readonly history: readonly HistoryEntry[];
  readonly stored: readonly StoredEvent[];
}

function checkEnd(all: Wait, end: HistoryEntry, violated: Violated): void {
  // What a wait on the way takes later is free.
  const of = { ...all, history: all.history.slice(0, all.history.indexOf(end)) };
  if (end.type === "wait.matched") {
    if (
      !counts(
        of,
        of.stored.find(({ event }) => event.id === end.event.id),
      )
    ) {
      violated(`${end.event.id} is not what it waits for`);
    }
  }
  if (end.type !== "wait.timedOut") return;
  if (end.at < of.armed.until) violated("it timed out too early");
  const missed = of.stored.find((event) => counts(of, event));
  if (missed !== undefined) violated(`it missed ${missed.event.id}, stored at ${missed.storedAt}`);
}

/** Whether a stored event is one that the wait may end with. */
function counts({ wait, armed, started, history }: Wait, stored: StoredEvent | undefined): boolean {
  if (stored === undefined || stored.event.name !== wait.event) return false;
  if (stored.seq <= (started.eventSeq ?? 0) || stored.storedAt > armed.until) return false;
  const taken = history.some(
    (entry) =>
      entry.type === "wait.matched" && wait.before.includes(entry.wait) && entry.event.id === stored.event.id,
  );
  const [data, own] = [stored, started].map(({ event }) => event.data as unknown as Data);
  if (wait.match?.source === sameKey) return !taken && data!.key === own!.key;
  return !taken && (wait.match?.source !== largeToo || data!.large);
}

/** Whether the wait of an edge, if it has one, had ended by then in the way that the edge wants. */
export function waitAllows(
  edge: EdgeDocument,
  history: readonly HistoryEntry[],
  document: FunctionDocument,
  at: number,
): boolean {
  if (edge.async === undefined) return true;
  const { steps } = definitionOf(document);
  const place = Object.values(document.steps).findIndex(({ after }) => after?.includes(edge));
  const step = steps.get(Object.keys(document.steps)[place] ?? "");
  const index = Object.values(document.steps)[place]?.after?.indexOf(edge) ?? -1;
  const wanted = edge.async.onTimeout === true ? "wait.timedOut" : "wait.matched";
  const end = history.find(
    (entry): entry is Matched =>
      entry.type === wanted && "wait" in entry && entry.wait === step?.edges[index]?.wait,
  );
  return end !== undefined && end.at <= at;
}

function definitionOf(document: FunctionDocument): Definition {
  return define(functionVersion(document, {}, 0));
}
