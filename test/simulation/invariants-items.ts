import { isDeepStrictEqual } from "node:util";
import type { HistoryEntry } from "../../host/run/history.ts";
import { foldHistory } from "../../host/run/run-view.ts";
import type { FunctionDocument, StepDocument } from "../../host/function/document.ts";
import { listOf } from "./documents-items.ts";
import { isFinal, itemEnds, itemsBack, outputIn, undoneBy, type Entry } from "./recorded.ts";
import type { RunRecord } from "./server-runs.ts";

type Violated = (what: string) => void;
type End = ReturnType<typeof itemEnds>[number];

/** Items are recorded once, in their place, no more of them at once than may be, and the step comes to what they do. */
export function checkItems(
  step: string,
  { history }: RunRecord,
  document: FunctionDocument,
  violated: Violated,
): void {
  const undone = undoneBy(document, step);
  const { forEach, id } = undone ?? { ...document.steps[step], id: step };
  const ends = itemEnds(history, step);
  const own = history.filter(
    (entry) => "step" in entry && entry.step === step && entry.type !== "step.uncaught",
  );
  if (forEach === undefined) {
    if (ends.length > 0) violated("it has items, and is no list");
    return;
  }
  const begun = own.find((entry): entry is Entry<"items.begun"> => entry.type === "items.begun");
  const lasts = own.filter(({ type }) => type === "items.completed" || type === "items.failed");
  const last = lasts[0];
  if (lasts.length > 1) violated("it has ended twice");
  if (last !== undefined && own.at(-1) !== last) violated("it goes on after its end");
  const before = own[0]?.type;
  if (undone === undefined && begun === undefined && before !== "items.failed" && before !== "step.skipped")
    violated("it has no beginning");
  const list = undone === undefined ? listIn(history, forEach, begun ?? last, document) : undefined;
  const sequence =
    undone === undefined ? Array.from({ length: begun?.count ?? 0 }, (_, i) => i) : itemsBack(history, id);
  if (begun !== undefined && list?.length !== begun.count)
    violated(`it has ${begun.count} items, and its list ${list?.length}`);
  const byItem = Map.groupBy(ends, ({ item }) => item);
  for (const [item, all] of byItem) {
    const told: Violated = (what) => violated(`item ${item}: ${what}`);
    if (!sequence.includes(item)) told("there is no such item");
    checkAttempts(all, told);
    const put = all.at(-1);
    if (undone !== undefined || put?.type !== "item.completed") continue;
    const { item: value, index } = put.output as { readonly item?: unknown; readonly index?: number };
    if (index !== item || !isDeepStrictEqual(value, list?.[item])) told("its output is another's");
  }
  checkPlaces(history, ends, { sequence, concurrency: forEach.concurrency ?? 10 }, violated);
  if (last !== undefined)
    checkLast(last, { ends, sequence, forEach, list, undoes: undone !== undefined }, violated);
}

/** The list of a step by what was recorded before it began. */
function listIn(
  history: readonly HistoryEntry[],
  { items }: NonNullable<StepDocument["forEach"]>,
  begun: HistoryEntry | undefined,
  document: FunctionDocument,
): readonly unknown[] | undefined {
  const earlier = history.slice(0, begun === undefined ? 0 : history.indexOf(begun));
  const { event, events } = foldHistory(earlier);
  type Data = Parameters<typeof listOf>[1]["data"];
  const data = (one: unknown): Data => (one as { readonly data: Data }).data;
  return listOf(items, { data: data(event ?? { data: {} }), events: events?.map(data) }, (step) =>
    outputIn(earlier, step, document),
  );
}

/** Attempts without holes or doubles, the last one final, none before its time. */
function checkAttempts(ends: readonly End[], violated: Violated): void {
  ends.forEach((end, index) => {
    if (end.attempt !== index + 1) violated(`attempt ${end.attempt} is entry ${index + 1}`);
    const previous = ends[index - 1];
    if (previous === undefined) return;
    if (previous.type === "item.completed") violated("attempted after it was completed");
    else if (previous.retryAt === undefined) violated("attempted after it had failed for good");
    else if (end.startedAt < previous.retryAt) violated("attempted again too early");
  });
}

/** From its first attempt to its last, each item takes a place; those in front go first. */
function checkPlaces(
  history: readonly HistoryEntry[],
  ends: readonly End[],
  { sequence, concurrency }: { readonly sequence: readonly number[]; readonly concurrency: number },
  violated: Violated,
): void {
  const lives = [...Map.groupBy(ends, ({ item }) => item).values()].map((all) => {
    const final = all.find(isFinal);
    return { from: all[0]!.startedAt, to: final?.at ?? history.at(-1)!.at };
  });
  for (const { from } of lives) {
    const together = lives.filter((other) => other.from <= from && other.to > from).length;
    if (together > concurrency) violated(`${together} items at once, and ${concurrency} may be`);
  }
  const open = new Set(sequence);
  for (const end of ends) {
    const before = sequence.slice(0, sequence.indexOf(end.item)).filter((item) => open.has(item)).length;
    if (before >= concurrency) violated(`item ${end.item} went before ${before} others`);
    if (isFinal(end)) open.delete(end.item);
  }
}

interface Items {
  readonly ends: readonly End[];
  readonly sequence: readonly number[];
  readonly forEach: NonNullable<StepDocument["forEach"]>;
  readonly list: readonly unknown[] | undefined;
  /** They undo others. */
  readonly undoes: boolean;
}

function checkLast(
  last: HistoryEntry,
  { ends, sequence, forEach, list, undoes }: Items,
  violated: Violated,
): void {
  const finals = ends.filter(isFinal);
  const failed = finals.filter(({ type }) => type === "item.failed").length;
  const { onError, tolerate = Number.POSITIVE_INFINITY } = forEach;
  const share = Number.parseFloat(String(tolerate)) / 100;
  const borne = typeof tolerate === "number" ? tolerate : Math.floor(share * sequence.length);
  const bears = onError === "continue" && !undoes ? borne : 0;
  const late = ends.some(({ startedAt }) => startedAt > last.at);
  if (late) violated("an item began after its end");
  const isWhole = finals.length === sequence.length;
  if (last.type === "items.completed") {
    if (!isWhole) violated(`it completed with ${finals.length} of ${sequence.length} items`);
    if (failed > bears) violated(`it completed, and ${failed} items had failed`);
  } else if (last.type === "items.failed") {
    const { code } = last.failure;
    if (code === "ERR_ITEMS" && list !== undefined) violated("it failed for its list, and has one");
    if (code !== "ERR_ITEMS" && failed <= bears) violated(`it failed, and ${failed} items had failed`);
    if (undoes && !isWhole) violated("it did not undo all that it could");
  }
}
