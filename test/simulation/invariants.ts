import type { HistoryEntry } from "../../host/run/history.ts";
import type { FunctionDocument } from "../../host/function/document.ts";
import { invokeEventName } from "../../host/function/define-invoke.ts";
import { parseDuration } from "../../host/function/duration.ts";
import type { FunctionVersion } from "../../host/function/version.ts";
import { stepsApart, triggerStep, type EdgeDocument } from "../../host/function/document.ts";
import { flagged } from "./documents.ts";
import { byProgram } from "./documents-failing.ts";
import { checkEmitted } from "./invariants-emit.ts";
import { checkFlow } from "./invariants-flow.ts";
import { checkInvoked } from "./invariants-invoke.ts";
import { checkItems } from "./invariants-items.ts";
import { checkCancelling, checkSaga } from "./invariants-sagas.ts";
import { checkCollected, checkLines } from "./invariants-collect.ts";
import { checkWaits, waitAllows } from "./invariants-waits.ts";
import { completionOf, failureOf, failuresIn, outputIn } from "./recorded.ts";
import { isClaim, isCommand, type RunRecord } from "./server-runs.ts";
import type { Server } from "./server.ts";

type Violated = (what: string) => void;
type Completed = Extract<HistoryEntry, { type: "step.completed" }>;
type Failed = Extract<HistoryEntry, { type: "step.failed" }>;

/** What must be true of the store when everything has come to rest. */
export function checkStore(server: Server, violated: Violated, calm: boolean): void {
  if (server.events.pending > 0) violated(`${server.events.pending} events are not acknowledged`);
  if (server.wakes.pending > 0) violated(`${server.wakes.pending} wakes are not acknowledged`);
  for (const record of server.runs.records.values()) {
    const { header } = record;
    const told: Violated = (what) => violated(`run ${header.id}: ${what}`);
    const version = server.versions.get(`${header.functionId}@${header.functionVersion}`);
    if (version === undefined) told("its version is not in the store");
    else {
      checkHistory(record, version.document, told);
      checkSaga(record.history, version.document, told);
      checkCancelling(record.history, version.document, { violated: told, calm });
      checkWaits(record, version, server.stored, told);
      checkEmitted(record, server.stored, told);
      checkInvoked(record, server, told);
      checkCollected(record, version, { stored: server.stored, violated: told, calm });
      checkVersion(record, version, server, told);
    }
    checkHolders(record, told);
  }
  checkRunsOfEvents(server, violated);
  checkFlow(server, violated);
  checkLines(server, violated);
}

/** Only who has claimed a run last writes to it. */
function checkHolders({ writes }: RunRecord, violated: Violated): void {
  let holder = writes[0]?.machine;
  for (const write of writes.slice(1)) {
    const { machine } = write;
    if (isCommand(write)) continue;
    if (isClaim(write)) holder = machine;
    else if (machine !== holder) violated(`${machine} wrote to it, and ${holder} holds it`);
  }
}

function checkHistory(record: RunRecord, document: FunctionDocument, violated: Violated): void {
  const { header, history, update, stale } = record;
  const ends = history.filter(({ type }) => ["run.completed", "run.failed", "run.cancelled"].includes(type));
  if (update.finishedAt === undefined && stale) return;
  if (update.finishedAt === undefined)
    violated(`it is ${update.status}, and nothing is left that would go on with it`);
  else if (ends.length !== 1 || history.at(-1) !== ends[0]) violated("it does not end with its end");
  const begins = history.filter(({ type }) => type === "run.started");
  const [first] = history;
  if (begins.length !== 1 || first?.type !== "run.started") violated("it does not begin with its beginning");
  else if (first.event.id !== header.eventId) violated("it began with another event");
  for (const step of new Set(history.flatMap((entry) => ("step" in entry ? [entry.step] : [])))) {
    if (document.steps[step] === undefined) violated(`step ${step} is not of its version`);
    const told: Violated = (what) => violated(`step ${step}: ${what}`);
    checkStep(step, history, document, told);
    checkItems(step, record, document, told);
  }
  checkEnd(history, document, violated);
}

/** Attempts without holes or doubles, the last one final, none before its time. */
function checkStep(
  step: string,
  history: readonly HistoryEntry[],
  document: FunctionDocument,
  violated: Violated,
): void {
  const entries = history.filter((entry) => "step" in entry && entry.step === step);
  const skips = entries.filter(({ type }) => type === "step.skipped");
  if (skips.length > 0 && entries.length > 1) violated("skipped, and not only that");
  const attempts = entries.filter(
    (entry): entry is Completed | Failed => entry.type === "step.completed" || entry.type === "step.failed",
  );
  attempts.forEach((entry, index) => {
    if (entry.attempt !== index + 1) violated(`attempt ${entry.attempt} is entry ${index + 1}`);
    const previous = attempts[index - 1];
    if (previous === undefined) return;
    if (previous.type === "step.completed") violated("attempted after it was completed");
    else if (previous.retryAt === undefined) violated("attempted after it had failed for good");
    else if (entry.startedAt < previous.retryAt) violated("attempted again too early");
  });
  const [earliest] = entries.filter((entry) => "startedAt" in entry || entry.type === "items.begun");
  if (earliest === undefined) return;
  const began = "startedAt" in earliest ? earliest.startedAt : earliest.at;
  const apart = stepsApart(document);
  if (apart.has(step)) {
    if (step !== document.onFailure) return;
    const timedOut = history.find(({ type }) => type === "run.timedOut");
    const failed = failuresIn(history).find((entry) => !apart.has(entry.step)) ?? timedOut;
    if (failed === undefined || failed.at > began) violated("ran without a failure");
    return;
  }
  const { after = [], join } = document.steps[step] ?? {};
  const open = after.map((edge) => {
    if (!isTaken(edge, history, document)) return false;
    if (!waitAllows(edge, history, document, began)) return false;
    const from = settled(edge, history)!;
    return from.at + (edge.wait === undefined ? 0 : parseDuration(edge.wait)!) <= began;
  });
  const may = join === "any" ? open.includes(true) : !open.includes(false);
  if (!may) violated("ran before its parents, or against a condition");
}

/** The entry that an edge waits for. */
function settled(edge: EdgeDocument, history: readonly HistoryEntry[]): HistoryEntry | undefined {
  if (edge.step === triggerStep) return beginning(history);
  return edge.on === "failure" ? failureOf(history, edge.step) : completionOf(history, edge.step);
}

/** Whether the step of an edge came to what that is for, but for its waits. */
function isTaken(edge: EdgeDocument, history: readonly HistoryEntry[], document: FunctionDocument): boolean {
  if (settled(edge, history) === undefined) return false;
  if (edge.if === byProgram) return failureOf(history, edge.step)?.failure.code === "ERR_STEP_FAILED";
  if (edge.if !== flagged) return true;
  const output = outputIn(history, edge.step, document) as { readonly flag?: boolean } | null;
  return output?.flag === true;
}

/** The entry from which its own times count. */
function beginning(history: readonly HistoryEntry[]): HistoryEntry | undefined {
  return history.find(({ type }) => type === "run.begun") ?? history[0];
}

/** How the run ended is what became of its steps. */
function checkEnd(history: readonly HistoryEntry[], document: FunctionDocument, violated: Violated): void {
  const end = history.at(-1);
  const apart = stepsApart(document);
  const skipped = new Set(history.flatMap((entry) => (entry.type === "step.skipped" ? [entry.step] : [])));
  /** Whether what failed led somewhere. */
  const caught = (step: string): boolean =>
    Object.entries(document.steps).some(
      ([to, { after = [] }]) =>
        !skipped.has(to) &&
        after.some((edge) => edge.step === step && edge.on === "failure" && isTaken(edge, history, document)),
    );
  const failures = failuresIn(history).filter(({ step }) => !apart.has(step));
  const uncaught = new Set(history.flatMap((entry) => (entry.type === "step.uncaught" ? [entry.step] : [])));
  for (const { step, caught: leads } of failures) {
    if (leads !== true && caught(step)) violated(`${step} failed, and edges lead from that`);
    if (uncaught.has(step) && caught(step)) violated(`${step} led nowhere, and to a step`);
  }
  const dead = failures.filter(({ step, caught: leads }) => leads !== true || uncaught.has(step));
  if (end?.type === "run.completed") {
    const open = Object.keys(document.steps).filter(
      (step) =>
        !apart.has(step) &&
        completionOf(history, step) === undefined &&
        !skipped.has(step) &&
        !failures.some((entry) => entry.step === step && caught(step)),
    );
    if (dead.length > 0 || open.length > 0) violated("completed, and its steps are not");
  }
  if (end?.type === "run.failed") {
    const timedOut = history.find(({ type }) => type === "run.timedOut");
    if (dead.length === 0 && timedOut === undefined) violated("failed without a failure");
    const { timeout = "0s" } = document;
    const first = beginning(history);
    if (timedOut !== undefined && timedOut.at < (first?.at ?? 0) + parseDuration(timeout)!)
      violated("timed out too early");
    const { onFailure } = document;
    if (onFailure === undefined) return;
    const handled = completionOf(history, onFailure) ?? failureOf(history, onFailure);
    if (handled === undefined) violated("failed, and was not handled");
  }
}

/** A run is of a version that was active when it began, or shortly before, and of one that takes its event. */
function checkVersion(
  { header, history }: RunRecord,
  version: FunctionVersion,
  server: Server,
  violated: Violated,
): void {
  const known = server.activations.some(
    (activation) => activation.version?.version === version.version && activation.at <= header.createdAt,
  );
  if (!known) violated("it began on a version before that was active");
  const [first] = history;
  if (first?.type === "run.started" && !takes(version, first.event))
    violated("its version does not take its event");
}

/** Each event has exactly the runs that it must have: their ids make doubles impossible only if they are used. */
function checkRunsOfEvents(server: Server, violated: Violated): void {
  const byFunction = new Map<string, (FunctionVersion | undefined)[]>();
  for (const { functionId, version } of server.activations) {
    byFunction.set(functionId, [...(byFunction.get(functionId) ?? []), version]);
  }
  /** The place of the change that an event's publisher knew of last, among those of one function. */
  const known = (functionId: string, catalog: number | undefined): number =>
    Math.max(
      server.activations.slice(0, catalog).filter((change) => change.functionId === functionId).length - 1,
      0,
    );
  for (const { event, catalog } of server.stored) {
    const runs = server.runs.ofEvent(event.id);
    for (const [functionId, versions] of byFunction) {
      const has = runs.filter(({ header }) => header.functionId === functionId).length;
      if (has > 1) violated(`event ${event.id} has ${has} runs of ${functionId}`);
      const must = versions
        .slice(known(functionId, catalog))
        .every((version) => version !== undefined && takes(version, event));
      if (must && has === 0) violated(`event ${event.id} has no run of ${functionId}`);
    }
  }
}

/** Whether a version's trigger takes the event, by the two expressions that there are. */
export function takes(
  { document }: FunctionVersion,
  event: { readonly name: string; readonly data: unknown },
): boolean {
  if (event.name === invokeEventName(document.id)) return true;
  return document.triggers.some(
    (trigger) =>
      "event" in trigger &&
      trigger.event === event.name &&
      (trigger.expression === undefined || (event.data as { readonly large: boolean }).large),
  );
}
