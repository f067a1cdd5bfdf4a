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
import { nanos } from "@nats-io/transport-node";
import { MillraceError } from "../errors.ts";
import { anyRuntime, type Names } from "./names.ts";
import type { NatsOptions } from "./options.ts";

/** Goes up by one with each change that a host of an older version can't work with; kept in each stream's metadata. */
const layoutVersion = 1;
const layoutKey = "millrace-layout";

const day = 24 * 3_600_000;
const defaultKeepEventsMs = 7 * day;
const keepDeadLettersMs = 30 * day;
/** An event id published again within this time is stored once; later, its runs are there already. */
const dedupeWindowMs = 120_000;

/** The codes of nats-server for what is not there. */
const streamNotFound = 10059;
const streamNameInUse = 10058;

/** Makes what is missing and brings what is there up to date; resolves to the copies of the run histories. */
export async function createLayout(
  manager: JetStreamManager,
  names: Names,
  options: NatsOptions,
): Promise<number> {
  const base = {
    storage: StorageType.File,
    allow_direct: true,
    metadata: { [layoutKey]: String(layoutVersion) },
  };
  const { events, runs, wakes, deadLetters } = names;
  const keepEventsMs = options.keepEventsMs ?? defaultKeepEventsMs;
  const wanted: (Partial<StreamConfig> & { readonly name: string })[] = [
    {
      ...base,
      name: events.stream,
      subjects: events.subjects,
      description: "Events, in the order in which they were stored",
      retention: RetentionPolicy.Limits,
      // Full means refused, not that the oldest go: what was acknowledged stays.
      discard: DiscardPolicy.New,
      max_age: nanos(keepEventsMs),
      duplicate_window: nanos(Math.min(dedupeWindowMs, keepEventsMs)),
      ...(options.maxEventBytes === undefined ? {} : { max_bytes: options.maxEventBytes }),
      allow_atomic: true,
    },
    {
      ...base,
      name: runs.stream,
      subjects: runs.subjects,
      description: "Histories of runs: a subject a run, a message an append",
      retention: RetentionPolicy.Limits,
      discard: DiscardPolicy.New,
      // Appends are told apart by what they are based on; remembering ids would only cost memory.
      duplicate_window: nanos(100),
    },
    {
      ...base,
      name: wakes.stream,
      subjects: wakes.subjects,
      description: "Timers of parked runs, and the wakes they become",
      retention: RetentionPolicy.Workqueue,
      // The server allows no other beside schedules; without limits nothing is discarded.
      discard: DiscardPolicy.Old,
      allow_msg_schedules: true,
      duplicate_window: nanos(100),
    },
    {
      ...base,
      name: deadLetters.stream,
      subjects: deadLetters.subjects,
      description: "Messages on the events' subjects that are no events",
      retention: RetentionPolicy.Limits,
      discard: DiscardPolicy.Old,
      max_age: nanos(keepDeadLettersMs),
      duplicate_window: nanos(dedupeWindowMs),
    },
  ];
  const made = await Promise.all(wanted.map((config) => ensureStream(manager, config, options.replicas)));
  return made[1]?.num_replicas ?? 1;
}

/** Several hosts may do this at once: who comes second finds it done. */
async function ensureStream(
  manager: JetStreamManager,
  config: Partial<StreamConfig> & { readonly name: string },
  replicas: number | undefined,
): Promise<StreamConfig> {
  const existing = await streamConfig(manager, config.name);
  if (existing === undefined) {
    try {
      return (await manager.streams.add({ ...config, num_replicas: replicas ?? 1 })).config;
    } catch (error) {
      if (codeOf(error) === streamNameInUse) return ensureStream(manager, config, replicas);
      throw unavailable(`The stream ${config.name} could not be made`, error);
    }
  }
  const layout = Number(existing.metadata?.[layoutKey] ?? 0);
  if (layout > layoutVersion) {
    throw new MillraceError(
      "ERR_STORE_NEWER",
      `The stream ${config.name} has layout ${layout}, and this version of Millrace knows layout ${layoutVersion}.`,
    );
  }
  const next = { ...config, num_replicas: replicas ?? existing.num_replicas };
  if (covers(existing, next)) return existing;
  try {
    return (await manager.streams.update(config.name, next)).config;
  } catch (error) {
    throw unavailable(`The stream ${config.name} could not be brought up to date`, error);
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
