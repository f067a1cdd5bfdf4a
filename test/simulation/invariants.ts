import type { HistoryEntry } from "../../host/run/history.ts";
import type { FunctionDocument } from "../../host/function/document.ts";
import { invokeEventName } from "../../host/function/define-invoke.ts";
import { parseDuration } from "../../host/function/duration.ts";
import type { FunctionVersion } from "../../host/function/version.ts";
import { triggerStep } from "../../host/function/document.ts";
import { flagged } from "./documents.ts";
import { checkEmitted } from "./invariants-emit.ts";
import { checkFlow } from "./invariants-flow.ts";
import { checkInvoked } from "./invariants-invoke.ts";
import { checkCollected, checkLines } from "./invariants-collect.ts";
import { checkWaits, waitAllows } from "./invariants-waits.ts";
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

function checkHistory(
  { header, history, update, stale }: RunRecord,
  document: FunctionDocument,
  violated: Violated,
): void {
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
    checkStep(step, history, document, (what) => violated(`step ${step}: ${what}`));
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
  const attempts = entries.filter((entry): entry is Completed | Failed => "startedAt" in entry);
  attempts.forEach((entry, index) => {
    if (entry.attempt !== index + 1) violated(`attempt ${entry.attempt} is entry ${index + 1}`);
    const previous = attempts[index - 1];
    if (previous === undefined) return;
    if (previous.type === "step.completed") violated("attempted after it was completed");
    else if (previous.retryAt === undefined) violated("attempted after it had failed for good");
    else if (entry.startedAt < previous.retryAt) violated("attempted again too early");
  });
  const [earliest] = attempts;
  if (earliest === undefined) return;
  if (step === document.onFailure) {
    const failed = history.find(
      (entry) =>
        (entry.type === "step.failed" && entry.retryAt === undefined) || entry.type === "run.timedOut",
    );
    if (failed === undefined || failed.at > earliest.startedAt) violated("ran without a failure");
    return;
  }
  const { after = [], join } = document.steps[step] ?? {};
  const open = after.map((edge) => {
    const from =
      edge.step === triggerStep
        ? beginning(history)
        : history.find(
            (entry): entry is Completed => entry.type === "step.completed" && entry.step === edge.step,
          );
    if (from === undefined) return false;
    const output = "output" in from ? (from.output as { readonly flag?: boolean } | null) : {};
    if (edge.if === flagged && output?.flag !== true) return false;
    if (!waitAllows(edge, history, document, earliest.startedAt)) return false;
    return from.at + (edge.wait === undefined ? 0 : parseDuration(edge.wait)!) <= earliest.startedAt;
  });
  const may = join === "any" ? open.includes(true) : !open.includes(false);
  if (!may) violated("ran before its parents, or against a condition");
}

/** The entry from which its own times count. */
function beginning(history: readonly HistoryEntry[]): HistoryEntry | undefined {
  return history.find(({ type }) => type === "run.begun") ?? history[0];
}

/** How the run ended is what became of its steps. */
function checkEnd(history: readonly HistoryEntry[], document: FunctionDocument, violated: Violated): void {
  const end = history.at(-1);
  const settled = new Set(
    history.flatMap((entry) =>
      entry.type === "step.completed" || entry.type === "step.skipped" ? [entry.step] : [],
    ),
  );
  const dead = history.filter((entry) => entry.type === "step.failed" && entry.retryAt === undefined);
  if (end?.type === "run.completed") {
    const steps = Object.keys(document.steps).filter((step) => step !== document.onFailure);
    if (dead.length > 0 || steps.some((step) => !settled.has(step)))
      violated("completed, and its steps are not");
  }
  if (end?.type === "run.failed") {
    const timedOut = history.find(({ type }) => type === "run.timedOut");
    if (dead.length === 0 && timedOut === undefined) violated("failed without a failure");
    const { timeout = "0s" } = document;
    const first = beginning(history);
    if (timedOut !== undefined && timedOut.at < (first?.at ?? 0) + parseDuration(timeout)!)
      violated("timed out too early");
    const { onFailure } = document;
    const handled = dead.some((entry) => "step" in entry && entry.step === onFailure);
    if (onFailure !== undefined && !settled.has(onFailure) && !handled)
      violated("failed, and was not handled");
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
