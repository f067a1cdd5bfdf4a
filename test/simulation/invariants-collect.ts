import { collectsUntil, fullBy } from "../../host/run/collecting.ts";
import type { HistoryEntry } from "../../host/run/history.ts";
import { define } from "../../host/function/define.ts";
import type { CollectDefinition } from "../../host/function/definition.ts";
import type { FunctionVersion } from "../../host/function/version.ts";
import { keyToJoin, largeToJoin } from "./documents.ts";
import { eventsOf, type RunRecord } from "./server-runs.ts";
import type { Server } from "./server.ts";

type Violated = (what: string) => void;
type Entry<Type> = Extract<HistoryEntry, { type: Type }>;

/** How late a run may begin to which nothing has happened, in milliseconds: timers fire late, and messages take time. */
const lateMs = 10_000;

/** What a run collected is whole, in one piece, no more than it may be, and for the time that it may. */
export function checkCollected(
  record: RunRecord,
  version: FunctionVersion,
  { stored, violated, calm }: Pick<Server, "stored"> & { violated: Violated; readonly calm: boolean },
): void {
  const { history } = record;
  const { collects } = define(version);
  const [collecting] = history.filter(
    (entry): entry is Entry<"run.collecting"> => entry.type === "run.collecting",
  );
  const ids = eventsOf(record);
  if (new Set(ids).size < ids.length) violated(`it has an event twice: ${ids.join()}`);
  const events = ids.map((id) => stored.find(({ event }) => event.id === id)!);
  const data = events.map(({ event }) => event.data as { readonly key: number; readonly large: boolean });
  const joins = data.map(({ large }) => collects !== undefined && (!takesLarge(collects) || large));
  if (collecting === undefined) {
    if (ids.length !== 1) violated("it has other events, and collects none");
    return;
  }
  if (collects === undefined || joins.includes(false))
    return violated("it collects what is not to be collected");
  if (collects.key?.source === keyToJoin && data.some(({ key }) => key !== data[0]?.key))
    violated("it has events of several keys");
  if (collects.by === "batch" && ids.length > collects.maxSize) violated(`it has ${ids.length} events`);
  const begun = history.find((entry): entry is Entry<"run.begun"> => entry.type === "run.begun");
  const last = history.findLast((entry) => entry.type === "run.collected");
  if (last !== undefined && begun !== undefined && history.indexOf(last) > history.indexOf(begun))
    violated("it has collected after it began");
  if (begun !== undefined) checkBeginning({ collects, collecting, begun, history, violated, calm });
  const early = history.findIndex((entry) => "attempt" in entry || "wait" in entry);
  if (early !== -1 && (begun === undefined || history.indexOf(begun) > early))
    violated("it went on before it began");
}

interface Beginning {
  readonly collects: CollectDefinition;
  readonly collecting: Entry<"run.collecting">;
  readonly begun: Entry<"run.begun">;
  readonly history: readonly HistoryEntry[];
  violated: Violated;
  readonly calm: boolean;
}

function checkBeginning({ collects, collecting, begun, history, violated, calm }: Beginning): void {
  const additions = history.filter(
    (entry): entry is Entry<"run.collected"> => entry.type === "run.collected",
  );
  const events = [{ id: "", seq: 0 }, ...additions.flatMap((entry) => entry.events)];
  const full = fullBy({ by: collects.by, events, size: 0 }, collects);
  if (begun.why !== "time" && full !== begun.why)
    violated(`it began because of its ${begun.why}, with ${events.length}`);
  if (begun.why !== "time") return;
  const due = Math.max(
    ...[collecting, ...additions].map(({ at }) => collectsUntil(collects, collecting.at, at)),
  );
  if (begun.at < due) violated("it began before its time");
  const paused = history.some(({ type }) => type === "run.paused");
  if (calm && !paused && begun.at > due + lateMs) violated(`it began ${begun.at - due} late`);
}

/** One run at a time collects the events of a version that have a key in common. */
export function checkLines(server: Server, violated: Violated): void {
  const lines = new Map<string, { readonly id: string; readonly from: number; readonly to: number }[]>();
  for (const { header, history } of server.runs.records.values()) {
    const collecting = history.find((entry) => entry.type === "run.collecting");
    if (collecting === undefined) continue;
    const closed = history.find(({ type }) => type === "run.begun" || type === "run.cancelled");
    const line = JSON.stringify([header.functionId, header.functionVersion, collecting.key]);
    const run = { id: header.id, from: collecting.at, to: closed?.at ?? Number.POSITIVE_INFINITY };
    lines.set(line, [...(lines.get(line) ?? []), run]);
  }
  for (const [line, runs] of lines) {
    const inOrder = runs.toSorted((one, other) => one.from - other.from || one.to - other.to);
    inOrder.forEach(({ id, to }, index) => {
      const next = inOrder[index + 1];
      if (next !== undefined && next.from < to)
        violated(`${id} and ${next.id} collect at the same time for ${line}`);
    });
  }
}

function takesLarge(collects: CollectDefinition): boolean {
  return collects.by === "batch" && collects.if?.source === largeToJoin;
}
