import type { HistoryEntry } from "../../host/run/history.ts";
import { keyOf } from "../../host/flow-control/key.ts";
import { orphanReason } from "../../host/executor/kin.ts";
import { foldHistory } from "../../host/run/run-view.ts";
import type { FunctionDocument } from "../../host/function/document.ts";
import { parseDuration } from "../../host/function/duration.ts";
import type { Machine } from "./machine.ts";
import type { RunRecord } from "./server-runs.ts";
import type { Server } from "./server.ts";

type Violated = (what: string) => void;
type Queued = Extract<HistoryEntry, { type: "run.queued" }>;

interface Executing {
  readonly record: RunRecord;
  readonly machine: Machine;
  readonly server: Server;
  violated(what: string): void;
}

/** Whoever executes a step of a run that it holds has a slot of each limit. What a host executes that has lost the run does not count. */
export function checkSlots({ record, machine, server, violated }: Executing): void {
  const { header, update, history } = record;
  if (update.status !== "running" || update.host !== machine.name) return;
  const { concurrency = [] } = documentOf(record, server);
  for (const { name, key } of concurrency) {
    const owner = name === undefined ? ["own", header.functionId, key ?? ""] : ["shared", name];
    const { place } = keyOf(owner, key === undefined ? undefined : keyValue(history));
    if (!server.gates.slotted(place).has(header.id)) violated(`without a slot of ${owner.join(" ")}`);
  }
}

/** What must be true of flow control when everything has come to rest. */
export function checkFlow(server: Server, violated: Violated): void {
  const records = [...server.runs.records.values()];
  const slotted = server.gates.slotted();
  for (const { header, stale } of records) {
    if (slotted.has(header.id) && !stale && !server.gates.leftBehind(header.id))
      violated(`run ${header.id} is over and has a slot`);
  }
  for (const [functionId, runs] of Map.groupBy(records, ({ header }) => header.functionId)) {
    const told: Violated = (what) => violated(`${functionId}: ${what}`);
    const document = documentOf(runs[0]!, server);
    const admitted = runs.filter(({ history }) => !isRefused(history));
    const byKey = Map.groupBy(admitted, ({ history }) => keyValue(history));
    const { idempotency, rateLimit, throttle, singleton } = document;
    for (const [key, group] of byKey) {
      if (idempotency !== undefined && group.length > 1) told(`${group.length} runs with the key ${key}`);
      if (singleton?.mode === "skip") checkSingle(group, told);
    }
    const counted = (control: { readonly key?: string }) =>
      control.key === undefined ? [admitted] : [...byKey.values()];
    for (const group of rateLimit === undefined ? [] : counted(rateLimit)) {
      if (group.length > rateLimit!.limit) told(`${group.length} runs over its rate limit`);
    }
    for (const group of throttle === undefined ? [] : counted(throttle))
      checkThrottle(group, throttle!, told);
  }
}

/** No two of them execute steps at a time. */
function checkSingle(group: readonly RunRecord[], violated: Violated): void {
  const spans = group
    .map(({ history }) => {
      const times = history.flatMap((entry) => ("startedAt" in entry ? [entry.startedAt] : []));
      return { from: Math.min(...times), to: history.at(-1)?.at ?? 0 };
    })
    .filter(({ from }) => Number.isFinite(from))
    .toSorted((one, other) => one.from - other.from);
  for (const [index, { from }] of spans.entries()) {
    const before = spans[index - 1];
    if (before !== undefined && from < before.to) violated("two runs of a singleton at once");
  }
}

/** None began before its time, and their times are as far apart as they must be. */
function checkThrottle(
  group: readonly RunRecord[],
  { limit, period }: NonNullable<FunctionDocument["throttle"]>,
  violated: Violated,
): void {
  const times: number[] = [];
  for (const { header, history } of group) {
    const queued = history.find((entry): entry is Queued => entry.type === "run.queued");
    const { until } = queued ?? {};
    if (until === undefined) continue;
    times.push(until);
    const early = history.some((entry) => "startedAt" in entry && entry.startedAt < until);
    if (early) violated(`run ${header.id} began before its time`);
  }
  times.sort((one, other) => one - other);
  const apart = Math.floor(parseDuration(period)! / limit);
  for (const [index, at] of times.entries()) {
    const before = times[index - 1];
    if (before !== undefined && at - before < apart) violated(`runs begin ${at - before} ms apart`);
  }
}

function isRefused(history: readonly HistoryEntry[]): boolean {
  const end = history[1];
  return (
    end?.type === "run.cancelled" &&
    (end.reason === orphanReason ||
      /^(?:idempotency|rateLimit|singleton): |^its event was older/.test(end.reason ?? ""))
  );
}

function keyValue(history: readonly HistoryEntry[]): number {
  const { event } = foldHistory(history);
  return event === undefined ? -1 : (event.data as { readonly key: number }).key;
}

function documentOf({ header }: RunRecord, server: Server): FunctionDocument {
  const version = server.versions.get(`${header.functionId}@${header.functionVersion}`);
  return version?.document ?? { id: header.functionId, triggers: [], steps: {} };
}
