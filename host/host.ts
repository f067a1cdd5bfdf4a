import type { DriverEngine, RuntimeName } from "../runtime/driver.ts";
import type { Completion } from "../runtime/http/completions.ts";
import type { Json } from "../runtime/json.ts";
import type { Broker, DeadLetters, Published } from "./broker/broker.ts";
import type { LinkAnswer, LinkQuestion } from "./run/answer.ts";
import type { Problem } from "./errors.ts";
import type { Commands } from "./executor/commands.ts";
import type { Notice } from "./executor/notices.ts";
import type { FunctionVersion } from "./function/version.ts";
import type { Live } from "./live.ts";
import type { Runs, StoredRun } from "./state/state.ts";

/** One host process, as the API and the command line see it. */
export interface Host {
  /**
   * Checks events (shape, sizes, schemas), gives those without an `id` one, and stores them all or none.
   * Throws MillraceError ERR_EVENT_INVALID with every problem; pointers begin with the event's index: "/0/name".
   */
  publish(inputs: readonly unknown[]): Promise<readonly Published[]>;
  /**
   * Stores these versions and begins new runs on them; functions that are not among them stay as they are. Their steps
   * are got ready in the background; what can't run is in `notices`.
   */
  deploy(versions: readonly FunctionVersion[]): Promise<void>;
  /** Throws ERR_POLICY_REFUSED when the operator's policy does not allow what these versions ask for; so does `deploy`. */
  permit(versions: readonly FunctionVersion[]): void;
  /**
   * Has the components of versions compiled that are to be deployed, which may take a while: their first run need not
   * wait for it then. Resolves to the problems of those that can't run; pointers begin with the version's index.
   */
  precompile(versions: readonly FunctionVersion[]): Promise<readonly Problem[]>;
  /** No new runs of this function. */
  remove(functionId: string): Promise<void>;
  /** Stores the JSON Schemas of events by event name, in place of those before. Throws ERR_SCHEMA_INVALID. */
  setEventSchemas(schemas: Readonly<Record<string, Json>>): Promise<void>;
  /** Stores more of them, and removes those that are null; those of other names stay. Throws ERR_SCHEMA_INVALID. */
  addEventSchemas(schemas: Readonly<Record<string, Json>>): Promise<void>;
  /** The JSON Schemas that are stored, by event name. */
  eventSchemas(): Promise<Readonly<Record<string, Json>>>;
  /** The active function versions. */
  functions(): readonly FunctionVersion[];
  /** When the next firing of a function's schedules is due, as far as this host knows. */
  nextAt(functionId: string): number | undefined;
  /** Any version that was ever deployed, such as the one on which a run began. */
  version(functionId: string, version: string): Promise<FunctionVersion | undefined>;
  /** What was noticed since the host began, such as expressions that could not be evaluated; each once. */
  notices(functionId?: string): readonly Notice[];
  /** Stores an artifact; resolves to its sha256. */
  putArtifact(bytes: Uint8Array): Promise<string>;
  hasArtifact(sha256: string): Promise<boolean>;
  /**
   * Completes an attempt of an HTTP step, on whichever host it is: true once that is recorded, the same one again
   * included; false when there is none of that token, or none any more. Throws ERR_COMPLETION_UNRECORDED, and
   * ERR_COMPLETION_TOO_LARGE.
   */
  complete(token: string, completion: Completion): Promise<boolean>;
  /** What people open who have a link. Both throw ERR_LINK_UNKNOWN, ERR_LINK_USED and ERR_LINK_EXPIRED. */
  readonly links: {
    /** What the link asks. */
    open(token: string): Promise<LinkQuestion>;
    /** Durable when it resolves. Throws ERR_LINK_ANSWER. */
    answer(token: string, answer: LinkAnswer): Promise<void>;
  };
  /** Messages on the broker that are no valid events. */
  readonly deadLetters: DeadLetters;
  /** This host's name among those of its store. */
  readonly name: string;
  /** What it was made of; absent where it was put together on a store that was open already. */
  readonly setup?: HostSetup;
  /** Resolves when the host takes events and its store answers; throws ERR_HOST_CLOSED or ERR_STORE_UNAVAILABLE. */
  ready(): Promise<void>;
  readonly runs: Pick<Runs, "load" | "query">;
  /** Cancels, pauses, resumes and retries runs; an event for another try is checked as `publish` does. */
  readonly commands: Omit<Commands, "rerun" | "answer"> & {
    rerun(runId: string, event: unknown): Promise<string>;
  };
  readonly events: Pick<Broker, "readEvents" | "readEvent">;
  readonly live: Live;
  /** Resolves with the run once it has finished, be it by now. Rejects when the signal aborts. */
  finished(runId: string, signal?: AbortSignal): Promise<StoredRun>;
  /** Takes nothing new, ends what runs and closes the stores. Unfinished runs go on at the next start. */
  close(): Promise<void>;
}

/** What a host was made of. */
interface HostSetup {
  readonly store: StoreKind;
  /** Those that it has drivers for. */
  readonly runtimes: readonly RuntimeName[];
  /** What executes Wasm steps, where it does. */
  readonly engine?: DriverEngine;
}

/** What stands behind the ports. */
export type StoreKind = "memory" | "sqlite" | "nats";
