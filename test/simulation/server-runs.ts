import type { HistoryEntry } from "../../host/run/history.ts";
import type { Assignment, RunHeader, RunUpdate, StoredRun } from "../../host/state/state.ts";

/** One write to a run, for the invariants. */
export interface Write {
  readonly machine: string;
  readonly entries: readonly HistoryEntry[];
  readonly update: RunUpdate;
}

/** Whether a host made the run its own by this write: what it adds beside that, it decided from what was there. */
export function isClaim(write: Write): boolean {
  const { entries, update } = write;
  return (
    !isCollecting(write) && update.status === "running" && entries.every(({ type }) => decisions.has(type))
  );
}

/** Whether somebody asked for something, whoever held the run. */
export function isCommand(write: Write): boolean {
  const { entries } = write;
  if (isCollecting(write)) return true;
  const asked = entries.at(-1);
  // Whoever ends a run publishes before what that has emitted.
  const others = entries.slice(0, -1);
  return (
    asked !== undefined && commands.has(asked.type) && others.every(({ type }) => type === "step.emitted")
  );
}

/** Whether events were added to a run, or it was to begin, whoever held it. */
function isCollecting({ entries, update, machine }: Write): boolean {
  const collects =
    entries.length > 0 && entries.every(({ type }) => type === "run.collected" || type === "run.begun");
  return collects && !(update.status === "running" && update.host === machine);
}

const commands: ReadonlySet<string> = new Set([
  "run.paused",
  "run.resumed",
  "run.cancelled",
  "run.cancelling",
]);

const decisions: ReadonlySet<string> = new Set([
  "wait.matched",
  "wait.timedOut",
  "wait.cancelled",
  "step.skipped",
  "step.invoked",
  "run.timedOut",
  "run.admitted",
  "run.begun",
  "run.cancelling",
  "run.compensating",
  "step.uncaught",
  "items.begun",
  "items.completed",
  "items.failed",
]);

/** A run as the simulated store keeps it. */
export interface RunRecord {
  readonly header: RunHeader;
  readonly history: HistoryEntry[];
  readonly writes: Write[];
  /** It came too late to be anybody's: nobody has to finish it. */
  readonly stale: boolean;
  update: RunUpdate;
  revision: number;
  /** What the last write was, so that who made it knows it again. */
  token: string;
}

/** The ids of the events that a run has, in the order in which they came. */
export function eventsOf({ history }: Pick<RunRecord, "history">): string[] {
  return history.flatMap((entry) => {
    if (entry.type === "run.started") return [entry.event.id];
    return entry.type === "run.collected" ? entry.events.map(({ id }) => id) : [];
  });
}

/** The runs of the simulated store; every operation is atomic. */
export interface ServerRuns {
  readonly records: ReadonlyMap<string, RunRecord>;
  /** Runs that have not finished and must. */
  readonly open: number;
  create(
    machine: string,
    header: RunHeader,
    entries: readonly HistoryEntry[],
    update: RunUpdate,
  ): number | undefined;
  /** `token`: equal for tries of the same write. */
  append(
    machine: string,
    token: string,
    header: RunHeader,
    revision: number,
    entries: readonly HistoryEntry[],
    update: RunUpdate,
  ): number | undefined;
  load(runId: string): StoredRun | undefined;
  /** Where the events go that would have these runs of their own. */
  readonly assignments: ReadonlyMap<string, Assignment>;
  /** Sends an event there, unless it has gone somewhere by then: elsewhere than `from`. */
  assign(own: RunHeader, into: string, from?: string): Assignment | undefined;
  ofEvent(eventId: string): readonly RunRecord[];
}

export function createServerRuns(isStale: (header: RunHeader) => boolean): ServerRuns {
  const records = new Map<string, RunRecord>();
  const assignments = new Map<string, Assignment>();
  let open = 0;
  const write = (record: RunRecord, change: Write): number => {
    // One that is created as over never was open.
    const before = record.revision === 0 ? change.update.finishedAt : record.update.finishedAt;
    record.history.push(...change.entries);
    record.writes.push(change);
    record.update = change.update;
    if (!record.stale && before === undefined && change.update.finishedAt !== undefined) open -= 1;
    return ++record.revision;
  };
  return {
    records,
    assignments,
    assign(own, into, from) {
      if (records.has(own.id)) return undefined;
      const known = assignments.get(own.id);
      if (known?.runId !== from) return known;
      const assignment = { functionVersion: own.functionVersion, ...known, runId: into };
      assignments.set(own.id, assignment);
      return assignment;
    },
    get open() {
      return open;
    },
    create(machine, header, entries, update) {
      if (records.has(header.id) || assignments.has(header.id)) return undefined;
      const stale = isStale(header);
      const record: RunRecord = { header, history: [], writes: [], stale, update, revision: 0, token: "" };
      records.set(header.id, record);
      if (!stale && update.finishedAt === undefined) open += 1;
      return write(record, { machine, entries, update });
    },
    append(machine, token, header, revision, entries, update) {
      const record = records.get(header.id);
      if (record === undefined) return undefined;
      // The answer to a write was lost, and its writer tries again: it is told of its own write.
      if (record.revision !== revision) return record.token === token ? record.revision : undefined;
      record.token = token;
      return write(record, { machine, entries, update });
    },
    load(runId) {
      const record = records.get(runId);
      if (record === undefined) return undefined;
      const { header, update, revision, history } = record;
      return { ...header, ...update, revision, history: [...history] };
    },
    ofEvent: (eventId) => [...records.values()].filter((record) => eventsOf(record).includes(eventId)),
  };
}
