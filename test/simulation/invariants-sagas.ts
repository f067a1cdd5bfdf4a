import type { HistoryEntry } from "../../host/run/history.ts";
import type { FunctionDocument } from "../../host/function/document.ts";
import { completionOf, failureOf, owedBy, type Entry } from "./recorded.ts";

type Violated = (what: string) => void;

/** How long a host may go on that has not heard what was asked, where nothing befalls anybody, in milliseconds. */
const hearsWithinMs = 10_000;

/** What a run did that failed, or was cancelled, is undone before it ends: once each, the last that completed first. */
export function checkSaga(
  history: readonly HistoryEntry[],
  document: FunctionDocument,
  violated: Violated,
): void {
  const begins = history.filter(
    (entry): entry is Entry<"run.compensating"> => entry.type === "run.compensating",
  );
  const [begun] = begins;
  const end = history.at(-1);
  if (begins.length > 1) violated("it begins twice to undo what it did");
  const fails = end?.type === "run.failed" || end?.type === "run.cancelled";
  const owed = owedBy(document, history);
  if (begun === undefined) {
    if (fails && owed.length > 0) violated(`it ended, and ${owed.join()} are not undone`);
    for (const { compensate: by } of Object.values(document.steps))
      if (by !== undefined && mentions(history, by)) violated(`${by} has run, and nothing was to be undone`);
    return;
  }
  if (!fails) violated(`it undoes what it did, and ends with ${end?.type}`);
  const names = begun.steps.map(({ step }) => step);
  if (names.join() !== owed.join()) violated(`it undoes ${names.join()}, and owes ${owed.join()}`);
  for (const { step, by } of begun.steps)
    if (document.steps[step]?.compensate !== by) violated(`${by} does not undo ${step}`);
  checkOrder(history, begun, violated);
  if (fails) checkTold(history, begun, end, violated);
}

/** One after the other, and nothing else beside them. */
function checkOrder(
  history: readonly HistoryEntry[],
  begun: Entry<"run.compensating">,
  violated: Violated,
): void {
  let last: HistoryEntry = begun;
  for (const { by } of begun.steps) {
    const own = history.filter((entry) => "step" in entry && entry.step === by);
    const first = own.find((entry) => !isEnd(entry, by)) ?? own[0];
    const ended = completionOf(history, by) ?? failureOf(history, by);
    if (ended === undefined || first === undefined) {
      violated(`${by} did not come to its end`);
      continue;
    }
    const began = "startedAt" in first ? first.startedAt : first.at;
    if (history.indexOf(first) < history.indexOf(last) || began < last.at)
      violated(`${by} began before it was its turn`);
    last = ended;
  }
  const undoing = new Set(begun.steps.map(({ by }) => by));
  const from = history.indexOf(begun);
  const handler = history.slice(from).find((entry) => "step" in entry && !undoing.has(entry.step));
  if (handler === undefined) return;
  const began = "startedAt" in handler ? handler.startedAt : handler.at;
  if (began < last.at || history.indexOf(handler) < history.indexOf(last))
    violated(`it went on before what it did was undone`);
}

function isEnd(entry: HistoryEntry, by: string): boolean {
  return (entry.type === "items.completed" || entry.type === "items.failed") && entry.step === by;
}

/** The end says what was undone, and what was not. */
function checkTold(
  history: readonly HistoryEntry[],
  begun: Entry<"run.compensating">,
  { undone = [], notUndone = [] }: Entry<"run.failed" | "run.cancelled">,
  violated: Violated,
): void {
  const done = begun.steps.filter(({ by }) => completionOf(history, by) !== undefined);
  const left = begun.steps.filter(({ by }) => completionOf(history, by) === undefined);
  const names = (all: typeof done): string => all.map(({ step }) => step).join();
  if (undone.join() !== names(done) || notUndone.join() !== names(left))
    violated(`it says that ${undone.join()} are undone, and ${notUndone.join()} are not`);
}

/** One that is cancelled does not begin anything new; what it has begun by then may end. */
export function checkCancelling(
  history: readonly HistoryEntry[],
  { steps }: FunctionDocument,
  { violated, calm }: { readonly violated: Violated; readonly calm: boolean },
): void {
  const asked = history.filter(({ type }) => type === "run.cancelling");
  const [cancelling] = asked;
  if (asked.length > 1) violated("it is to be cancelled twice");
  if (cancelling === undefined) return;
  if (history.at(-1)?.type !== "run.cancelled") violated("it was to be cancelled, and is not");
  const undoing = new Set(Object.values(steps).map(({ compensate }) => compensate));
  const later = history.slice(history.indexOf(cancelling));
  const decided = later.find(
    (entry) =>
      (entry.type === "items.begun" || entry.type === "step.invoked" || entry.type === "step.skipped") &&
      !undoing.has(entry.step),
  );
  if (decided !== undefined) violated(`${decided.type} after it was to be cancelled`);
  if (!calm) return;
  const late = history.find(
    (entry) =>
      "startedAt" in entry && !undoing.has(entry.step) && entry.startedAt > cancelling.at + hearsWithinMs,
  );
  if (late !== undefined) violated(`${late.type} began long after it was to be cancelled`);
}

function mentions(history: readonly HistoryEntry[], step: string): boolean {
  return history.some((entry) => "step" in entry && entry.step === step);
}
