import { isDeepStrictEqual } from "node:util";
import { itemsUnderWay, stepOfPlace } from "../../host/run/place.ts";
import type { HistoryEntry } from "../../host/run/history.ts";
import { stepsApart, type FunctionDocument } from "../../host/function/document.ts";
import type { Attempt } from "../../runtime/driver.ts";
import { listOf } from "./documents-items.ts";
import type { Machine } from "./machine.ts";
import { isFinal, itemEnds, itemsBack, outputIn, undoneBy } from "./recorded.ts";
import { eventsOf, type RunRecord } from "./server-runs.ts";
import type { Server } from "./server.ts";

interface Check {
  readonly input: Attempt["input"];
  readonly record: RunRecord;
  readonly machine: Machine;
  readonly server: Server;
  violated(what: string): void;
}

/** What a step is given is recorded, and it comes after all that it must come after. */
export function checkInput(check: Check): void {
  const { input, record, machine, server, violated } = check;
  const { stepId, attempt, functionVersion } = input.ctx;
  const { history, header, writes } = record;
  if (functionVersion !== header.functionVersion) violated("on another version than its run's");
  if (!writes.some((write) => write.machine === machine.name)) violated("of a run that it never claimed");
  const document = documentOf(check);
  for (const [step, output] of Object.entries(input.steps)) {
    if (!isDeepStrictEqual(outputIn(history, step, document), output))
      violated(`with an output of ${step} that is not recorded`);
  }
  if (input.events !== undefined) {
    const places = new Map(server.stored.map(({ event, seq }) => [event.id, seq]));
    const all = eventsOf(record).toSorted((one, other) => places.get(one)! - places.get(other)!);
    if (input.events.map(({ id }) => id).join() !== all.join())
      violated("with other events than are recorded");
  }
  const failures = history.filter(
    (entry) =>
      (entry.type === "step.failed" && entry.step === stepId) ||
      (entry.type === "item.failed" && entry.step === stepId && entry.item === input.index),
  );
  if (attempt > failures.length + 1) violated("before its earlier attempts are recorded");
  checkItem(check, document);
}

/** It is the item of that place; what is to be undone is what was put out. */
function checkItem({ input, record: { history }, violated }: Check, document: FunctionDocument): void {
  const { stepId } = input.ctx;
  const { index } = input;
  const undone = undoneBy(document, stepId);
  const { id = stepId, forEach } = undone ?? { ...document.steps[stepId] };
  if ((index === undefined) !== (forEach === undefined)) violated("with an item, or without one");
  if (forEach !== undefined) {
    const ofBatch = input.events?.map(({ data }) => data as unknown as Data);
    const list = listOf(
      forEach.items,
      { data: input.event.data as unknown as Data, events: ofBatch },
      (step) => outputIn(history, step, document),
    );
    if (!isDeepStrictEqual(list?.[index ?? -1], input.item)) violated("with another item than the list's");
  }
  if (undone === undefined) return;
  const completed = itemEnds(history, id).find((end) => end.type === "item.completed" && end.item === index);
  const output = forEach === undefined ? outputIn(history, id, document) : outputOf(completed);
  if (!isDeepStrictEqual(output, input.output)) violated("with another output than is to be undone");
}

interface Data {
  readonly key: number;
  readonly large: boolean;
}

function outputOf(end: object | undefined): unknown {
  return end !== undefined && "output" in end ? end.output : undefined;
}

/** What this host executes of a run that it holds is within its limits, and of what may go on. */
export function checkBeginning(check: Check & { readonly underWay: readonly string[] }): void {
  const { input, record, machine, underWay, violated } = check;
  const { history, update } = record;
  const { stepId } = input.ctx;
  const document = documentOf(check);
  const undone = undoneBy(document, stepId);
  const { forEach } = undone ?? { ...document.steps[stepId] };
  // What a host executes that has lost the run does not count.
  const holds = update.status === "running" && update.host === machine.name;
  if (forEach !== undefined) {
    const ended = itemEnds(history, stepId);
    // One that is to be tried again keeps its place.
    const retrying = new Set(holds ? ended.map(({ item }) => item) : []);
    for (const end of ended) if (isFinal(end)) retrying.delete(end.item);
    for (const place of underWay) retrying.delete(Number(place.slice(stepId.length + 1)));
    const { concurrency = 10 } = forEach;
    const places = itemsUnderWay(stepId, new Set(underWay)) + retrying.size;
    if (places > concurrency) violated(`beside ${places - 1} items, and may beside ${concurrency - 1}`);
  }
  if (!holds) return;
  if (knows(record, machine, "run.paused", "run.resumed")) violated("although its run is paused");
  const apart = stepsApart(document);
  if (!apart.has(stepId) && knows(record, machine, "run.cancelling", "run.retried"))
    violated("although its run is to be cancelled");
  const ends = history.some(
    (entry) =>
      entry.type === "run.timedOut" ||
      entry.type === "run.compensating" ||
      entry.type === "step.uncaught" ||
      ((entry.type === "items.failed" || (entry.type === "step.failed" && entry.retryAt === undefined)) &&
        entry.caught !== true &&
        !apart.has(entry.step)),
  );
  if (ends && !apart.has(stepId)) violated("although its run has failed");
  if (undone === undefined) return;
  // What had no time left is ended, and may not know.
  const timedOut = history.some(({ type }) => type === "run.timedOut");
  const others = underWay.filter((place) => !timedOut && stepOfPlace(place) !== stepId);
  if (others.length > 0) violated(`to undo something, while ${others.join()} go on`);
  if (forEach === undefined) return;
  const known = itemsBack(history, undone.id);
  if (!known.includes(input.index ?? -1)) violated("to undo an item that did not complete");
}

/** Whether a host has written to the run since something was asked of it, which has not been taken back. */
function knows(
  { writes }: RunRecord,
  { name }: Machine,
  asked: HistoryEntry["type"],
  back: HistoryEntry["type"],
): boolean {
  const since = writes.findLastIndex(({ entries }) =>
    entries.some(({ type }) => type === asked || type === back || type === "run.cancelling"),
  );
  const write = writes[since];
  if (write?.entries.some(({ type }) => type === asked) !== true) return false;
  return writes.slice(since + 1).some(({ machine }) => machine === name);
}

function documentOf({ record: { header }, server }: Check): FunctionDocument {
  const version = server.versions.get(`${header.functionId}@${header.functionVersion}`);
  return version?.document ?? { id: header.functionId, triggers: [], steps: {} };
}
