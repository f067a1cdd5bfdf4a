import type { ReadMessage } from "../nats/batch-reader.ts";
import { createHash } from "node:crypto";
import { millis, type MsgHdrs } from "@nats-io/transport-node";
import { stringify } from "uuid";
import { MillraceError } from "../errors.ts";
import {
  cloudEventProblem,
  isJsonType,
  parseBinaryCloudEvent,
  parseStructuredCloudEvent,
  type ParsedCloudEvent,
} from "../event/cloudevents.ts";
import type { Event } from "../event/event.ts";
import { unavailable } from "../nats/layout.ts";
import { readBackward, readForward } from "../nats/read.ts";
import type { NatsSession } from "../nats/session.ts";
import type { Broker, EventFilter, StoredEvent } from "./broker.ts";

/** A message on the subject of an event. */
export interface EventMessage {
  readonly subject: string;
  readonly headers?: MsgHdrs | undefined;
  readonly data: Uint8Array;
  readonly seq: number;
  readonly storedAt: number;
}

/** Reads stored events. */
interface NatsEvents extends Pick<Broker, "readEvents" | "readEvent" | "keeps"> {
  /** The event of a message. Throws MillraceError with all that is wrong with it. */
  read(message: EventMessage): StoredEvent;
}

/** Says that a host checked the event and completed it before it was published, and what it knew of the catalog. */
const catalogHeader = "Millrace-Catalog";
const messageId = "Nats-Msg-Id";
/** How long before or after the time in its id an event may have been stored, in milliseconds. */
const storedNearMs = 60_000;
/** Events looked through at once. */
const searchSize = 1_000;

/** The headers of an event that a host publishes. */
export function eventHeaders(id: string, catalog: number): Readonly<Record<string, string>> {
  return { [messageId]: id, [catalogHeader]: String(catalog) };
}

export function createNatsEvents(session: NatsSession, accept: (input: unknown) => Event): NatsEvents {
  const { names } = session;
  const { stream } = names.events;

  const read: NatsEvents["read"] = (message) => {
    const { headers, data, seq, storedAt } = message;
    const catalog = headers?.get(catalogHeader) ?? "";
    if (catalog === "") return { seq, storedAt, event: accept(complete(message)) };
    const event = JSON.parse(new TextDecoder().decode(data)) as Event;
    return { seq, storedAt, event, catalog: Number(catalog) };
  };

  /** What a client published, as a sender's event: its name, id and time may come from the message itself. */
  const complete = (message: EventMessage): object => {
    const { subject, headers, storedAt } = message;
    const name = names.eventName(subject);
    if (name === undefined) {
      throw invalid(`the subject ${subject} is that of no event`, "ERR_EVENT_INVALID");
    }
    const input = fromClient(message);
    if (typeof input !== "object" || input === null || Array.isArray(input)) {
      throw invalid("an event must be a JSON object", "ERR_EVENT_INVALID");
    }
    const given = Object.fromEntries(Object.entries(input).filter(([, value]) => value !== null));
    if (given["name"] !== undefined && given["name"] !== name) {
      const message = `the event is named ${JSON.stringify(given["name"])}, and its subject says ${JSON.stringify(name)}`;
      throw invalid(message, "ERR_EVENT_INVALID", "/name");
    }
    return { id: headers?.get(messageId) || ownId(message, names.prefix), ts: storedAt, ...given, name };
  };

  const stored = (messages: readonly ReadMessage[]): StoredEvent[] =>
    messages.flatMap((message) => {
      try {
        return [read(eventMessage(message))];
      } catch {
        // No event; a dead letter says why, or will.
        return [];
      }
    });

  const readEvents = async (filter: EventFilter): Promise<readonly StoredEvent[]> => {
    const subject = filter.name === undefined ? (names.events.subjects[0] ?? "") : names.event(filter.name);
    const { limit, afterSeq = 0, beforeSeq } = filter;
    if (filter.newestFirst === true) {
      const before = beforeSeq === undefined ? {} : { before: beforeSeq };
      const { messages } = await readBackward(session, stream, { subject, wanted: limit, ...before });
      return stored(messages.filter(({ seq }) => seq > afterSeq))
        .toReversed()
        .slice(0, limit);
    }
    const events: StoredEvent[] = [];
    for (let after = afterSeq; events.length < limit;) {
      const wanted = limit - events.length;
      const found = await readForward(session, stream, { subject, after, limit: wanted });
      events.push(...stored(found));
      // A page that is not full of events may have had messages that are none.
      after = found.at(-1)?.seq ?? after;
      if (found.length < wanted || (beforeSeq !== undefined && after >= beforeSeq)) break;
    }
    return events.filter(({ seq }) => beforeSeq === undefined || seq < beforeSeq);
  };

  return {
    read,
    readEvents,
    async keeps() {
      try {
        const { config } = await session.manager.streams.info(stream);
        return config.max_age > 0 ? millis(config.max_age) : Number.POSITIVE_INFINITY;
      } catch (error) {
        throw unavailable("The NATS server does not say how long events are kept", error);
      }
    },
    async readEvent(id) {
      const near = timeOf(id);
      let beforeSeq: number | undefined;
      for (;;) {
        const page = await readEvents({
          newestFirst: true,
          limit: searchSize,
          ...(beforeSeq === undefined ? {} : { beforeSeq }),
        });
        const found = page.find(({ event }) => event.id === id);
        const oldest = page.at(-1);
        if (found !== undefined || oldest === undefined) return found;
        if (near !== undefined && oldest.storedAt < near - storedNearMs) return undefined;
        beforeSeq = oldest.seq;
      }
    },
  };
}

function eventMessage({ subject, header, data, seq, time }: ReadMessage): EventMessage {
  return { subject, headers: header, data, seq, storedAt: time.getTime() };
}

/** CloudEvents by the NATS protocol binding 1.0, in either mode; anything else is an event of our own. */
function fromClient({ headers, data }: EventMessage): unknown {
  const contentType = headerOf(headers, "content-type");
  if (contentType?.toLowerCase().startsWith("application/cloudevents+json") === true) {
    return cloudEvent(parseStructuredCloudEvent(json(data)), "json");
  }
  if (headerOf(headers, "ce-specversion") === undefined) return json(data);
  const byName = Object.fromEntries(
    [...(headers ?? [])].map(([name, [value]]) => [name.toLowerCase(), value]),
  );
  if (data.length > 0 && contentType !== undefined && !isJsonType(contentType)) {
    throw invalid(`the data is ${contentType}; only data in JSON is taken`, "ERR_CLOUDEVENT_INVALID");
  }
  const value = data.length === 0 ? undefined : { value: json(data) };
  return cloudEvent(parseBinaryCloudEvent(byName, value), "binary");
}

function cloudEvent(parsed: ParsedCloudEvent, mode: "json" | "binary"): unknown {
  if (parsed.ok) return parsed.input;
  const problems = parsed.problems.map((problem) => cloudEventProblem(problem, "", mode));
  const first = problems[0]?.message ?? "it is no CloudEvent";
  throw new MillraceError("ERR_CLOUDEVENT_INVALID", first, { problems });
}

function headerOf(headers: MsgHdrs | undefined, name: string): string | undefined {
  for (const [key, [value]] of headers ?? []) if (key.toLowerCase() === name) return value;
  return undefined;
}

function json(data: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(data)) as unknown;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw invalid(`the message is no JSON text in UTF-8: ${why}`, "ERR_BODY_JSON");
  }
}

function invalid(
  message: string,
  code: "ERR_EVENT_INVALID" | "ERR_BODY_JSON" | "ERR_CLOUDEVENT_INVALID",
  pointer?: string,
) {
  const problem = { code, message, ...(pointer === undefined ? {} : { pointer }) };
  return new MillraceError(code, message, { problems: [problem] });
}

/**
 * The id of an event that came without one: a UUIDv7 of the time it was stored, the same each time it is handed over.
 */
function ownId({ seq, storedAt, subject }: EventMessage, prefix: string): string {
  const bytes = createHash("sha256")
    .update(`${prefix}\0${seq}\0${storedAt}\0${subject}`)
    .digest()
    .subarray(0, 16);
  bytes.writeUIntBE(storedAt, 0, 6);
  bytes[6] = 0x70 | ((bytes[6] ?? 0) & 0x0f);
  bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f);
  return stringify(bytes);
}

/** The time in a UUIDv7, in milliseconds since 1970-01-01T00:00:00Z. */
function timeOf(id: string): number | undefined {
  return /^[\da-f]{8}-[\da-f]{4}-7/.test(id)
    ? Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)
    : undefined;
}
