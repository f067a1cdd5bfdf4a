import type { Json } from "../../runtime/json.ts";
import type { KeyValues } from "../../runtime/key-values.ts";
import type { HistoryEntry, RunStatus } from "../run/history.ts";
import type { FunctionVersion } from "../function/version.ts";

/** What identifies a run, fixed when it starts. */
export interface RunHeader {
  readonly id: string;
  readonly functionId: string;
  readonly functionVersion: string;
  readonly eventId: string;
  readonly eventName: string;
  /** The user who caused it: the event's `user.id`, or its `user` when that is a string. */
  readonly userId?: string;
  readonly createdAt: number;
}

/** A run as lists show it. */
export interface RunSummary extends RunHeader {
  readonly status: RunStatus;
  readonly finishedAt?: number;
  /** Parked runs: when its next timer is due. */
  readonly wakeAt?: number;
  /** Parked runs: for what, in words. */
  readonly waitsFor?: string;
  /** Running: the host that advances it. */
  readonly host?: string;
}

/** A run with all that happened to it; entry i has sequence i + 1. */
export interface StoredRun extends RunSummary {
  /** What an append must name to go behind what was loaded; it means nothing else. */
  readonly revision: number;
  readonly history: readonly HistoryEntry[];
}

/** What an append changes about the run besides its history. */
export interface RunUpdate {
  readonly status: RunStatus;
  /** The run's one timer; absent: none. Set and cleared together with the append. */
  readonly wakeAt?: number;
  /** Parked: for what, in words. */
  readonly waitsFor?: string;
  readonly finishedAt?: number;
  /** Running: the host that advances it. */
  readonly host?: string;
  /** Waits that are not needed from now on: no longer found once this is stored, or soon after. */
  readonly disarm?: readonly ArmedWait[];
  /** A timer that was set before and is not needed: that it does not fire saves work, and nothing depends on it. */
  readonly clears?: number;
  /** The timer is the one that the update before has set: it need not be set again. */
  readonly keepsTimer?: true;
}

/** Which runs to list, newest first. */
export interface RunFilter {
  readonly functionId?: string;
  readonly status?: RunStatus;
  /** Runs that this event began, and those that have collected it. */
  readonly eventId?: string;
  readonly userId?: string;
  /** The `next` of the page before. */
  readonly cursor?: string;
  readonly limit: number;
}

/** Where an event goes that has no run of its own. */
export interface Assignment {
  readonly runId: string;
  /** The version of the function that has taken it. */
  readonly functionVersion: string;
}

/** Runs and their histories. */
export interface Runs {
  /** Stores a new run with its first entries; resolves to its revision, or undefined when a run of that id was there before. */
  create(run: RunHeader, entries: readonly HistoryEntry[], update: RunUpdate): Promise<number | undefined>;
  /**
   * Appends behind `revision` and resolves to the next one; undefined when the run has gone on from there, and nothing
   * was written. Without entries it still makes a new revision: whoever held the run before can append no more.
   */
  append(
    run: RunHeader,
    revision: number,
    entries: readonly HistoryEntry[],
    update: RunUpdate,
  ): Promise<number | undefined>;
  load(runId: string): Promise<StoredRun | undefined>;
  /**
   * Has events go into a run that collects them, and writes that down in the place of the runs that they would have of
   * their own, which can't be created from then on. Resolves to where each goes by then: there, or where it was sent
   * before; undefined where it has a run of its own. Durable when it resolves.
   */
  assign(own: readonly RunHeader[], into: string): Promise<readonly (Assignment | undefined)[]>;
  /** Has an event that goes into `from` go into another run; resolves to where it goes by then. */
  reassign(own: RunHeader, from: string, into: string): Promise<Assignment | undefined>;
  /** Where the event goes that would have this run of its own. */
  assigned(own: Pick<RunHeader, "id" | "functionId" | "eventId">): Promise<Assignment | undefined>;
  /** A page may hold fewer runs than asked for and still have a `next`, where a store would have to search for long. */
  query(filter: RunFilter): Promise<{ readonly runs: readonly RunSummary[]; readonly next?: string }>;
}

/** Runs that nobody would wake: those of a store that has no server to fire timers and to notice a lost host. */
export interface UnattendedRuns {
  /**
   * Takes the timers that are due at `now`, the most overdue first, off their runs and marks these as running.
   * A host that ends before it has advanced them finds them among the orphans.
   */
  claimDue(now: number, limit: number): Promise<readonly string[]>;
  /** When the earliest timer of all is due. */
  nextDue(): Promise<number | undefined>;
  /** Runs that a host was advancing when it ended: neither parked nor finished, and held by no living host. */
  orphans(afterId: string | undefined, limit: number): Promise<readonly string[]>;
  /** Every queue that is not empty, with its first run. */
  queued(): Promise<readonly { readonly queue: string; readonly runId: string }[]>;
}

/** A version on which new runs begin. */
export interface ActiveVersion extends FunctionVersion {
  /** Since when, in milliseconds since 1970-01-01T00:00:00Z. */
  readonly activatedAt: number;
}

/** A wait that an event may end, as the store keeps it. */
export interface ArmedWait {
  /** By which it is found: 12 hex digits. */
  readonly key: string;
  readonly runId: string;
  /** Which of the run's waits: letters and digits. */
  readonly wait: string;
  /** When its time is over. */
  readonly until: number;
}

/**
 * Armed waits, found by a key that is made of an event's name and of the value at a path of the event. Every read sees
 * all writes that were acknowledged before it began, by any host.
 */
export interface Waits {
  /** Has waits for events of this name looked for by this path, from now on for good. Durable when it resolves. */
  declare(eventName: string, path: string): Promise<void>;
  /** The paths by which waits for events of this name are looked for. */
  paths(eventName: string): Promise<readonly string[]>;
  /** Durable when it resolves; one that is armed already stays so. */
  arm(waits: readonly ArmedWait[]): Promise<void>;
  disarm(waits: readonly ArmedWait[]): Promise<void>;
  /**
   * A page of the waits with this key, each at least once; a page may have a `next` and nothing behind it. One that is
   * disarmed meanwhile may be left out, or not.
   */
  find(key: string, page: { readonly after?: string; readonly limit: number }): Promise<FoundWaits>;
}

interface FoundWaits {
  readonly waits: readonly Pick<ArmedWait, "runId" | "wait">[];
  readonly next?: string;
}

/** A document of flow control as it stood. */
export interface GateDocument {
  /** What a change of it must name; never given out twice for a key. */
  readonly revision: number;
  readonly value: Json;
}

/**
 * Small JSON documents by key, which hosts change by compare-and-set: what flow control has to remember. A key has up to
 * 128 letters, digits, `-` and `_`.
 */
export interface Gates {
  /** Sees all writes that were acknowledged before it began, by any host. */
  load(key: string): Promise<GateDocument | undefined>;
  /**
   * Stores a value over the revision that was loaded, null: where there is none. Resolves to its revision; undefined when
   * somebody was before, and nothing was written. Durable when it resolves; when it rejects, that is not known.
   * `keepMs`: after this time it may go, and is then as if it had never been; for good by default.
   */
  store(key: string, value: Json, over: number | null, keepMs?: number): Promise<number | undefined>;
}

/** A run in a queue. */
export interface QueuedRun {
  readonly runId: string;
  /** Grows from one to the next. */
  readonly place: number;
}

/** Runs that wait for their turn, each queue in the order in which they came. A queue's name is made as a gate's key is. */
export interface Queues {
  /** Puts a run behind all others of the queue; resolves to its place, which is above 0. Durable when it resolves. */
  add(queue: string, runId: string): Promise<number>;
  /** The first runs behind a place. Sees all writes that were acknowledged before it began, by any host. */
  next(queue: string, after: number, limit: number): Promise<readonly QueuedRun[]>;
  /** Takes a run out; one that is left in by chance does no harm. */
  remove(queue: string, place: number): Promise<void>;
}

/** Functions, their immutable versions, and which of them new runs begin on. */
export interface Catalog {
  /** Stores a version; the same version again changes nothing. */
  putVersion(version: FunctionVersion): Promise<void>;
  getVersion(functionId: string, version: string): Promise<FunctionVersion | undefined>;
  /** New runs of the function begin on this version from now on, which is `at`; one that is active already stays so since then. */
  activate(functionId: string, version: string, at: number): Promise<void>;
  /** No new runs of the function; what runs goes on. */
  deactivate(functionId: string): Promise<void>;
  /** Every function of which a version that was ever active has this event in a trigger; more of them do no harm. */
  everTriggeredBy(eventName: string): Promise<readonly string[]>;
  /** The active version of every function. */
  active(): Promise<readonly ActiveVersion[]>;
  /** Stores event schemas by event name; null removes one. */
  putSchemas(byName: Readonly<Record<string, Json>>): Promise<void>;
  schemas(): Promise<Readonly<Record<string, Json>>>;
  /**
   * This process knows all changes of active versions and schemas up to this one; they are numbered the same on all
   * hosts of a store. 0 where nobody else makes changes.
   */
  revision(): number;
  /** The newest change that this process knows, its own ones included; some before it may be on their way yet. */
  newest(): number;
  /** Calls back whenever `revision` has grown, and when a change became known; resolves once it watches. */
  watch(changed: () => void): Promise<{ close(): Promise<void> }>;
}

/** Bytes by the sha256 of themselves, in hex. */
export interface Artifacts {
  put(bytes: Uint8Array): Promise<string>;
  get(sha256: string): Promise<Uint8Array | undefined>;
  has(sha256: string): Promise<boolean>;
}

/** The truth: what outlives every host. Every resolved write is durable as its implementation promises. */
export interface State {
  readonly runs: Runs;
  /** Undefined where the store's server attends to them. */
  readonly unattended: UnattendedRuns | undefined;
  readonly waits: Waits;
  readonly gates: Gates;
  readonly queues: Queues;
  readonly catalog: Catalog;
  readonly artifacts: Artifacts;
  readonly keyValues: KeyValues;
  close(): Promise<void>;
}
