import { readFile } from "node:fs/promises";
import { createNatsState } from "../../host/state/nats.ts";
import { openSession, type NatsSession } from "../../host/nats/session.ts";
import type { State, StoredRun } from "../../host/state/state.ts";
import { runId } from "../../host/run/run-id.ts";
import { systemClock } from "../../host/clock.ts";
import { insist, pause } from "./insist.ts";
import { faultsOf, triggered, type EventName } from "./functions.ts";

/** What a look at the store after the faults came to. */
export interface Findings {
  readonly events: number;
  readonly runs: number;
  /** Executions beyond the one that was recorded: allowed, and each the trace of a fault. */
  readonly repeated: number;
  /** Every broken invariant. */
  readonly broken: readonly string[];
}

interface CheckOptions {
  readonly url: string;
  readonly prefix: string;
  readonly acknowledged: ReadonlyMap<string, EventName>;
  readonly executions: string;
  /** How long nothing may finish before what is unfinished counts as stuck, in milliseconds. */
  readonly patienceMs: number;
}

/** Runs that are looked at at once. */
const width = 8;

/**
 * Waits until every run of the acknowledged events has finished and nothing is left to be delivered, and holds the
 * histories to what they must be. It opens the store itself and takes no part in the work.
 */
export async function check(options: CheckOptions): Promise<Findings> {
  const { url, prefix, acknowledged, executions, patienceMs } = options;
  const [session, state] = await insist(() => open(url, prefix));
  try {
    const wanted = [...acknowledged].flatMap(([eventId, name]) =>
      triggered(name).map((functionId) => ({ id: runId(functionId, eventId), functionId, eventId })),
    );
    const broken: string[] = [];
    const open = new Map(wanted.map((run) => [run.id, run]));
    let progressAt = performance.now();
    let executed = 0;
    while (open.size > 0 && performance.now() - progressAt < patienceMs) {
      const before = open.size;
      await eachOf([...open.values()], async ({ id, functionId, eventId }) => {
        const run = await insist(() => state.runs.load(id));
        if (run?.finishedAt === undefined) return;
        open.delete(id);
        for (const fault of faultsOf(functionId, eventId, run)) {
          broken.push(`run ${id} of ${functionId} for ${eventId} ${fault}`);
        }
      });
      const now = (await executionsOf(executions)).size;
      if (open.size < before || now > executed) progressAt = performance.now();
      executed = now;
      if (open.size > 0) await pause(200);
    }
    for (const { id, functionId, eventId } of open.values()) {
      const run = await insist(() => state.runs.load(id));
      const where = run === undefined ? "is not there" : `is ${describe(run)}`;
      broken.push(`run ${id} of ${functionId} for ${eventId} ${where}`);
    }
    const ids = new Set(wanted.map(({ id }) => id));
    broken.push(...(await insist(() => listed(state, ids))));
    broken.push(...(await insist(() => leftOver(session, patienceMs))));
    const counts = [...(await executionsOf(executions)).values()];
    const repeated = counts.reduce((sum, times) => sum + times - 1, 0);
    return { events: acknowledged.size, runs: wanted.length, repeated, broken };
  } finally {
    await state.close();
  }
}

async function open(url: string, prefix: string): Promise<readonly [NatsSession, State]> {
  const session = await openSession(url, { prefix, clock: systemClock, name: "checker" });
  try {
    return [session, await createNatsState(session)];
  } catch (error) {
    await session.close();
    throw error;
  }
}

/** Lists all runs: each that is wanted is there once, and none else. */
async function listed(state: State, wanted: ReadonlySet<string>): Promise<string[]> {
  const seen = new Set<string>();
  const faults: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await state.runs.query({ limit: 200, ...(cursor === undefined ? {} : { cursor }) });
    for (const { id, functionId, eventId } of page.runs) {
      if (seen.has(id)) faults.push(`run ${id} is listed twice`);
      if (!wanted.has(id))
        faults.push(`run ${id} of ${functionId} for ${eventId} belongs to no acknowledged event`);
      seen.add(id);
    }
    cursor = page.next;
  } while (cursor !== undefined);
  for (const id of wanted) if (!seen.has(id)) faults.push(`run ${id} is not listed`);
  return faults;
}

/** What is delivered and unacknowledged, or waits to be delivered, once everything has settled. */
async function leftOver({ manager, names }: NatsSession, patienceMs: number): Promise<string[]> {
  const { events, wakes } = names;
  const until = performance.now() + patienceMs;
  for (;;) {
    const faults: string[] = [];
    for (const stream of [events.stream, wakes.stream]) {
      for await (const { name, num_ack_pending: delivered, num_pending: waiting } of manager.consumers.list(
        stream,
      )) {
        if (delivered > 0 || waiting > 0)
          faults.push(`consumer ${name} of ${stream} has ${delivered} unacknowledged and ${waiting} waiting`);
      }
    }
    const { messages } = (await manager.streams.info(wakes.stream)).state;
    if (messages > 0) faults.push(`${messages} timers and wakes are left`);
    if (faults.length === 0 || performance.now() > until) return faults;
    await pause(200);
  }
}

/** Executions by run, step and attempt. */
async function executionsOf(file: string): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  const lines = (await readFile(file, "utf8")).split("\n").slice(0, -1);
  for (const line of lines) {
    const key = line.split(" ").slice(0, 3).join(" ");
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

function describe({ status, host, wakeAt, history }: StoredRun): string {
  const last = history.at(-1);
  const step = last !== undefined && "step" in last ? ` ${last.step}` : "";
  return `${status}${host === undefined ? "" : ` on ${host}`}${wakeAt === undefined ? "" : ` until ${wakeAt}`} behind ${last?.type}${step}`;
}

async function eachOf<T>(items: readonly T[], act: (item: T) => Promise<void>): Promise<void> {
  const left = items.values();
  await Promise.all(
    Array.from({ length: width }, async () => {
      for (const item of left) await act(item);
    }),
  );
}
