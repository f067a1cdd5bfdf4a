import { MillraceError } from "../errors.ts";
import type { Event } from "../event/event.ts";
import { ensureConsumer, eventsConsumer, unavailable, wakesConsumer } from "../nats/layout.ts";
import { createLeasedFeed, type Delivered } from "../nats/leased-feed.ts";
import { anyRuntime } from "../nats/names.ts";
import { storeError } from "../nats/publisher.ts";
import type { NatsSession } from "../nats/session.ts";
import { shareReads } from "../nats/share-reads.ts";
import type { Broker, Consumer, StoredEvent } from "./broker.ts";
import { createNatsDeadLetters } from "./nats-dead-letters.ts";
import { createNatsEvents } from "./nats-events.ts";
import { createNatsPublish } from "./nats-publish.ts";

/**
 * The broker on JetStream. What "durable" means is the server's: its sync_interval and the replicas of the streams.
 * An event's id is known for the dedupe window; after it, a run's own id keeps a second one from starting.
 */
export async function createNatsBroker(
  session: NatsSession,
  accept: (input: unknown) => Event,
): Promise<Broker> {
  const { names, publisher, manager, leaseMs, connection, clock } = session;
  await ensureConsumer(manager, names.events.stream, eventsConsumer(leaseMs));
  const events = createNatsEvents(session, accept);
  const deadLetters = createNatsDeadLetters(session);
  const consumers: Consumer[] = [];

  const add = (consumer: Consumer): Consumer => {
    consumers.push(consumer);
    return consumer;
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
    publish: createNatsPublish(session),
    consumeEvents: async (handler, { maxInFlight }) =>
      add(
        createLeasedFeed(session, {
          stream: names.events.stream,
          consumer: eventsConsumer(leaseMs).durable_name,
          maxInFlight,
          async handle(delivered) {
            const stored: StoredEvent | undefined = await read(delivered);
            if (stored === undefined) return "done";
            // A first delivery that was long on its way is not the only one by now.
            const late = clock.now() - stored.storedAt > leaseMs / 2;
            return handler(stored, late || delivered.deliveries > 1);
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
    keeps: events.keeps,
    settled: shareReads(async () => {
      try {
        const { durable_name } = eventsConsumer(leaseMs);
        return (await manager.consumers.info(names.events.stream, durable_name)).ack_floor.stream_seq;
      } catch (error) {
        throw unavailable("The NATS server does not say which events are settled", error);
      }
    }),
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
