import type { StoredEvent } from "../../host/broker/broker.ts";
import type { HistoryEntry } from "../../host/run/history.ts";
import type { RunRecord } from "./server-runs.ts";

type Violated = (what: string) => void;
type Completed = Extract<HistoryEntry, { type: "step.completed" | "item.completed" }>;

/** What a run says that it emitted is stored, once, before the run goes on; and nothing else is stored in its name. */
export function checkEmitted(
  { header, history }: RunRecord,
  stored: readonly StoredEvent[],
  violated: Violated,
): void {
  // What it has invoked has an attempt besides.
  const own = stored.filter(
    ({ event: { attributes = {} } }) =>
      attributes["millracerun"] === header.id && attributes["millraceattempt"] === undefined,
  );
  const emitted = new Set<string>();
  history.forEach((entry, index) => {
    if (entry.type !== "step.completed" && entry.type !== "item.completed") return;
    const { step, emits = [] } = entry;
    for (const { id } of emits) emitted.add(id);
    if (emits.length === 0) return;
    const item = "item" in entry ? entry.item : undefined;
    const told = history
      .slice(index)
      .filter((one) => one.type === "step.emitted" && one.step === step && one.item === item);
    if (told.length !== 1) violated(`what ${step} emits is said ${told.length} times to be published`);
    checkStored(entry, own, violated);
    // A run may have been invoked while the store was asked, before that was known to have ended which emits.
    const invoked = (one: HistoryEntry) =>
      history.some((other) => other.type === "step.invoked" && "step" in one && other.step === one.step);
    const next = history
      .slice(index + 1)
      .find((one) => "step" in one && one.type !== "step.emitted" && !invoked(one));
    const published = Math.max(
      ...own.filter(({ event }) => isOf(entry, event.id)).map(({ storedAt }) => storedAt),
    );
    if (next !== undefined && "startedAt" in next && next.startedAt > entry.at && next.startedAt < published)
      violated(`${next.step} began before what ${step} emits was published`);
  });
  for (const { event } of own)
    if (!emitted.has(event.id)) violated(`nobody says that it emitted ${event.id}`);
}

function checkStored(entry: Completed, own: readonly StoredEvent[], violated: Violated): void {
  for (const { id } of entry.emits ?? []) {
    const copies = own.filter(({ event }) => event.id === id).length;
    if (copies !== 1) violated(`what ${entry.step} emits is stored ${copies} times`);
  }
}

function isOf({ emits = [] }: Completed, id: string): boolean {
  return emits.some((event) => event.id === id);
}
