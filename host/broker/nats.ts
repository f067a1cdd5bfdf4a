import { MillraceError } from "../errors.ts";
import type { Event } from "../event/event.ts";
import { ensureConsumer, eventsConsumer, wakesConsumer } from "../nats/layout.ts";
import { createLeasedFeed, type Delivered } from "../nats/leased-feed.ts";
import { anyRuntime } from "../nats/names.ts";
import { headersOf, refusedWith, storeError } from "../nats/publisher.ts";
import type { NatsSession } from "../nats/session.ts";
import type { Broker, Consumer, Published, StoredEvent } from "./broker.ts";
import { createNatsDeadLetters } from "./nats-dead-letters.ts";
import { createNatsEvents, eventHeaders } from "./nats-events.ts";

/** Events in one atomic batch, at most (nats-server's own limit). */
const batchSize = 1_000;
/** How often a publish is tried that the server is too busy for, and the pause before, in milliseconds. */
const busyTries = 50;
const busyMs = 20;

/**
 * The broker on JetStream. What "durable" means is the server's: its sync_interval and the replicas of the streams.
 * An event's id is known for the dedupe window; after it, a run's own id keeps a second one from starting.
 */
export async function createNatsBroker(
  session: NatsSession,
  accept: (input: unknown) => Event,
): Promise<Broker> {
  const { names, publisher, manager, clock, leaseMs, connection } = session;
  await ensureConsumer(manager, names.events.stream, eventsConsumer(leaseMs));
  const events = createNatsEvents(session, accept);
  const deadLetters = createNatsDeadLetters(session);
  const consumers: Consumer[] = [];

  const add = (consumer: Consumer): Consumer => {
    consumers.push(consumer);
    return consumer;
  };

  const publishOne = async (event: Event): Promise<Published> => {
    const { subject, payload, header } = message(event);
    const { duplicate } = await whenNotBusy(() => publisher.publish(subject, payload, header));
    return { id: event.id, duplicate };
  };

  const message = (event: Event) => ({
    subject: names.event(event.name),
    payload: JSON.stringify(event),
    header: headersOf(eventHeaders(event.id)),
  });

  /** All or none; of a batch with an id that is there already the server takes none, so its events go one by one. */
  const publishSome = async (events: readonly Event[]): Promise<Published[]> => {
    try {
      await whenNotBusy(() => publisher.publishBatch(events.map(message)));
      return events.map(({ id }) => ({ id, duplicate: false }));
    } catch (error) {
      if (!refusedWith(error, "batchDuplicate")) throw error;
      const published: Published[] = [];
      for (const event of events) published.push(await publishOne(event));
      return published;
    }
  };

  const whenNotBusy = async <T>(publish: () => Promise<T>): Promise<T> => {
    for (let tries = 1; ; tries += 1) {
      try {
        return await publish();
      } catch (error) {
        if (!refusedWith(error, "busy") || tries === busyTries) throw error;
        await new Promise<void>((resolve) => void clock.schedule(clock.now() + busyMs, resolve));
      }
    }
  };

  /** The event of a message; undefined when it is none, and has become a dead letter. */
  const read = async ({ message: { subject, headers, data }, seq, storedAt }: Delivered) => {
    try {
      return events.read({ subject, headers, data, seq, storedAt });
    } catch (error) {
      if (!(error instanceof MillraceError)) throw error;
      await deadLetters.add({ subject, headers, data, seq, storedAt }, error);
      return undefined;
    }
  };

  return {
    leased: true,
    deadLetters,
    async publish(batch) {
      try {
        if (batch.length === 1 && batch[0] !== undefined) return [await publishOne(batch[0])];
        const byId = new Map(batch.map((event) => [event.id, event]));
        const unique = [...byId.values()];
        const published = new Map<string, Published>();
        for (let i = 0; i < unique.length; i += batchSize) {
          for (const one of await publishSome(unique.slice(i, i + batchSize))) published.set(one.id, one);
        }
        const seen = new Set<string>();
        return batch.map(({ id }) => {
          const duplicate = seen.has(id) || published.get(id)?.duplicate === true;
          seen.add(id);
          return { id, duplicate };
        });
      } catch (error) {
        throw storeError(error);
      }
    },
    consumeEvents: async (handler, { maxInFlight }) =>
      add(
        createLeasedFeed(session, {
          stream: names.events.stream,
          consumer: eventsConsumer(leaseMs).durable_name,
          maxInFlight,
          async handle(delivered) {
            const stored: StoredEvent | undefined = await read(delivered);
            return stored === undefined ? "done" : handler(stored);
          },
        }),
      ),
    async wake(runId, runtime) {
      try {
        await publisher.publish(names.wake(runtime ?? anyRuntime, runId), "");
      } catch (error) {
        throw storeError(error);
      }
    },
    async consumeWakes(handler, { maxInFlight, runtimes }) {
      const feeds: Consumer[] = [];
      for (const runtime of [anyRuntime, ...runtimes]) {
        const config = wakesConsumer(names, leaseMs, runtime);
        await ensureConsumer(manager, names.wakes.stream, config);
        feeds.push(
          createLeasedFeed(session, {
            stream: names.wakes.stream,
            consumer: config.durable_name,
            maxInFlight,
            handle: ({ message: { subject } }) => handler(subject.slice(subject.lastIndexOf(".") + 1)),
          }),
        );
      }
      return add({
        async close() {
          await Promise.all(feeds.map((feed) => feed.close()));
        },
      });
    },
    readEvents: events.readEvents,
    readEvent: events.readEvent,
    async ready() {
      if (connection.isClosed())
        throw new MillraceError("ERR_STORE_UNAVAILABLE", "The connection to NATS is closed.");
      try {
        await manager.streams.info(names.events.stream);
      } catch (error) {
        throw new MillraceError("ERR_STORE_UNAVAILABLE", "The NATS server does not answer.", {
          cause: error,
        });
      }
    },
    async close() {
      await Promise.all(consumers.map((consumer) => consumer.close()));
    },
  };
}
