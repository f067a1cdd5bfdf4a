import {
  AckPolicy,
  DiscardPolicy,
  JetStreamApiError,
  RetentionPolicy,
  StorageType,
  type ConsumerConfig,
  type JetStreamManager,
  type StreamConfig,
} from "@nats-io/jetstream";
import { millis, nanos } from "@nats-io/transport-node";
import { MillraceError } from "../errors.ts";
import { anyRuntime, type Names } from "./names.ts";
import type { NatsOptions } from "./options.ts";

/** Goes up by one with each change that a host of an older version can't work with; kept in each stream's metadata. */
const layoutVersion = 2;
const layoutKey = "millrace-layout";

const day = 24 * 3_600_000;
const defaultKeepEventsMs = 7 * day;
const defaultLeaseMs = 30_000;
const keepDeadLettersMs = 30 * day;
/** An event id published again within this time is stored once; later, its runs are there already. */
const dedupeWindowMs = 120_000;

/** The codes of nats-server for what is not there. */
const streamNotFound = 10059;
const streamNameInUse = 10058;
const consumerNotFound = 10014;

/** What was found, or decided, of an installation. */
interface Layout {
  /** Copies of the stream that has the most: with several, reads may come from one that is behind. */
  readonly replicas: number;
  readonly leaseMs: number;
}

/** A stream as it must be, and as it is made where nobody said otherwise. */
interface Wanted {
  readonly name: string;
  readonly config: Partial<StreamConfig>;
  readonly initially?: Partial<StreamConfig>;
}

/** Makes what is missing and brings what is there up to date; an option that is not given changes nothing there. */
export async function createLayout(
  manager: JetStreamManager,
  names: Names,
  options: NatsOptions,
): Promise<Layout> {
  const { replicas } = options;
  const made = await Promise.all(
    streams(names, options).map((wanted) => ensureStream(manager, wanted, replicas)),
  );
  const copies = Math.max(...made.map((config) => config.num_replicas));
  for (const stream of [`KV_${names.catalog}`, `OBJ_${names.artifacts}`, `KV_${names.keyValues}`]) {
    const existing = await streamConfig(manager, stream);
    if (existing !== undefined && replicas !== undefined && existing.num_replicas !== replicas) {
      await update(manager, stream, { ...existing, num_replicas: replicas });
    }
  }
  return { replicas: copies, leaseMs: options.leaseMs ?? (await lease(manager, names)) };
}

function streams(names: Names, options: NatsOptions): readonly Wanted[] {
  const { events, runs, wakes, deadLetters, waits, gates, queues } = names;
  const base = {
    storage: StorageType.File,
    allow_direct: true,
    metadata: { [layoutKey]: String(layoutVersion) },
  };
  const { keepEventsMs, maxEventBytes } = options;
  return [
    {
      name: events.stream,
      config: {
        ...base,
        subjects: events.subjects,
        description: "Events, in the order in which they were stored",
        retention: RetentionPolicy.Limits,
        // Full means refused, not that the oldest go: what was acknowledged stays.
        discard: DiscardPolicy.New,
        allow_atomic: true,
        ...(keepEventsMs === undefined ? {} : keeping(keepEventsMs)),
        ...(maxEventBytes === undefined ? {} : { max_bytes: maxEventBytes }),
      },
      initially: keeping(defaultKeepEventsMs),
    },
    {
      name: runs.stream,
      config: {
        ...base,
        subjects: runs.subjects,
        description: "Histories of runs: a subject a run, a message an append",
        retention: RetentionPolicy.Limits,
        discard: DiscardPolicy.New,
        // Appends are told apart by what they are based on; remembering ids would only cost memory.
        duplicate_window: nanos(100),
      },
    },
    {
      name: wakes.stream,
      config: {
        ...base,
        subjects: wakes.subjects,
        description: "Timers of parked runs, and the wakes they become",
        retention: RetentionPolicy.Workqueue,
        // The server allows no other beside schedules; without limits nothing is discarded.
        discard: DiscardPolicy.Old,
        allow_msg_schedules: true,
        // A timer that is not needed is replaced by a message that goes by itself.
        allow_msg_ttl: true,
        duplicate_window: nanos(100),
      },
    },
    {
      name: waits.stream,
      config: {
        ...base,
        subjects: waits.subjects,
        description: "Armed waits of runs for events, a subject each, and how they are found",
        retention: RetentionPolicy.Limits,
        // Without limits but this one nothing is discarded but what a newer message replaces.
        discard: DiscardPolicy.Old,
        max_msgs_per_subject: 1,
        allow_msg_ttl: true,
        duplicate_window: nanos(100),
      },
    },
    {
      name: gates.stream,
      config: {
        ...base,
        subjects: gates.subjects,
        description: "What flow control remembers: a subject a document",
        retention: RetentionPolicy.Limits,
        // Without limits but this one nothing is discarded but what a newer message replaces.
        discard: DiscardPolicy.Old,
        max_msgs_per_subject: 1,
        allow_msg_ttl: true,
        duplicate_window: nanos(100),
      },
    },
    {
      name: queues.stream,
      config: {
        ...base,
        subjects: queues.subjects,
        description: "Runs that wait for their turn: a subject a queue, a message a run",
        retention: RetentionPolicy.Limits,
        discard: DiscardPolicy.New,
        duplicate_window: nanos(100),
      },
    },
    {
      name: deadLetters.stream,
      config: {
        ...base,
        subjects: deadLetters.subjects,
        description: "Messages on the events' subjects that are no events",
        retention: RetentionPolicy.Limits,
        discard: DiscardPolicy.Old,
        max_age: nanos(keepDeadLettersMs),
        duplicate_window: nanos(dedupeWindowMs),
      },
    },
  ];
}

function keeping(ms: number): Partial<StreamConfig> {
  return { max_age: nanos(ms), duplicate_window: nanos(Math.min(dedupeWindowMs, ms)) };
}

/** Several hosts may do this at once: who comes second finds it done. */
async function ensureStream(
  manager: JetStreamManager,
  wanted: Wanted,
  replicas: number | undefined,
): Promise<StreamConfig> {
  const { name, config, initially } = wanted;
  const existing = await streamConfig(manager, name);
  if (existing === undefined) {
    try {
      const added = { name, ...initially, ...config, num_replicas: replicas ?? 1 };
      return (await manager.streams.add(added)).config;
    } catch (error) {
      if (codeOf(error) === streamNameInUse) return ensureStream(manager, wanted, replicas);
      throw unavailable(`The stream ${name} could not be made`, error);
    }
  }
  const layout = Number(existing.metadata?.[layoutKey] ?? 0);
  if (layout > layoutVersion) {
    throw new MillraceError(
      "ERR_STORE_NEWER",
      `The stream ${name} has layout ${layout}, and this version of Millrace knows layout ${layoutVersion}.`,
    );
  }
  const next = { ...config, num_replicas: replicas ?? existing.num_replicas };
  return covers(existing, next) ? existing : update(manager, name, next);
}

async function update(
  manager: JetStreamManager,
  name: string,
  config: Partial<StreamConfig>,
): Promise<StreamConfig> {
  try {
    return (await manager.streams.update(name, config)).config;
  } catch (error) {
    throw unavailable(`The stream ${name} could not be brought up to date`, error);
  }
}

/** The lease that the hosts of the installation have by now. */
async function lease(manager: JetStreamManager, names: Names): Promise<number> {
  try {
    const { durable_name: consumer } = eventsConsumer(defaultLeaseMs);
    const { config } = await manager.consumers.info(names.events.stream, consumer);
    return config.ack_wait === undefined ? defaultLeaseMs : millis(config.ack_wait);
  } catch (error) {
    if (codeOf(error) === consumerNotFound) return defaultLeaseMs;
    throw unavailable("The NATS server's JetStream does not answer", error);
  }
}

async function streamConfig(manager: JetStreamManager, name: string): Promise<StreamConfig | undefined> {
  try {
    return (await manager.streams.info(name)).config;
  } catch (error) {
    if (codeOf(error) === streamNotFound) return undefined;
    throw unavailable("The NATS server's JetStream does not answer", error);
  }
}

/** Whether all that is wanted is so already; the server adds settings of its own. */
function covers(existing: StreamConfig, wanted: Partial<StreamConfig>): boolean {
  return Object.entries(wanted).every(([key, value]) => {
    const is = existing[key as keyof StreamConfig];
    if (key === "metadata")
      return (is as Record<string, string> | undefined)?.[layoutKey] === String(layoutVersion);
    return JSON.stringify(is) === JSON.stringify(value);
  });
}

/** The consumer that all hosts share for events. */
export function eventsConsumer(leaseMs: number): Partial<ConsumerConfig> & { readonly durable_name: string } {
  return { ...shared(leaseMs), durable_name: "hosts" };
}

/** The consumer that the hosts with one runtime share for wakes; without, all hosts. */
export function wakesConsumer(
  names: Names,
  leaseMs: number,
  runtime: string = anyRuntime,
): Partial<ConsumerConfig> & { readonly durable_name: string } {
  return { ...shared(leaseMs), durable_name: runtime, filter_subject: names.wake(runtime, "*") };
}

function shared(leaseMs: number) {
  return { ack_policy: AckPolicy.Explicit, ack_wait: nanos(leaseMs), max_ack_pending: -1, max_deliver: -1 };
}

/** Makes a consumer, or gives an existing one this lease. */
export async function ensureConsumer(
  manager: JetStreamManager,
  stream: string,
  config: Partial<ConsumerConfig> & { readonly durable_name: string },
): Promise<void> {
  try {
    await manager.consumers.add(stream, config);
  } catch (error) {
    throw unavailable(`The consumer ${config.durable_name} of ${stream} could not be made`, error);
  }
}

function codeOf(error: unknown): number | undefined {
  return error instanceof JetStreamApiError ? error.code : undefined;
}

export function unavailable(what: string, cause: unknown): MillraceError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new MillraceError("ERR_STORE_UNAVAILABLE", `${what}: ${why}.`, { cause });
}
