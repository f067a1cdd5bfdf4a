import type { Event } from "../event/event.ts";
import { createSlots } from "../executor/slots.ts";
import { headersOf, refusedWith, storeError } from "../nats/publisher.ts";
import type { NatsSession } from "../nats/session.ts";
import type { Broker, Published } from "./broker.ts";
import { eventHeaders } from "./nats-events.ts";

/** Events in one atomic batch, at most (nats-server's own limit). */
const batchSize = 1_000;
/** Batches that this host has under way at once: the server takes 50 of a stream, of all hosts together. */
const batchesAtOnce = 20;
/** How long a publish is tried that the server is too busy for, and the pause before each try, in milliseconds. */
const busyForMs = 5_000;
const busyMs = 20;

/** The broker's publish: one event by itself, several as an atomic batch. */
export function createNatsPublish({ names, publisher, clock }: NatsSession): Broker["publish"] {
  const room = createSlots(batchesAtOnce);

  const publishOne = async (event: Event, catalog: number): Promise<Published> => {
    const { duplicate } = await whenNotBusy(() => {
      const { subject, payload, header } = message(event, catalog);
      return publisher.publish(subject, payload, header);
    });
    return { id: event.id, duplicate };
  };

  const message = (event: Event, catalog: number) => ({
    subject: names.event(event.name),
    payload: JSON.stringify(event),
    header: headersOf(eventHeaders(event.id, catalog)),
  });

  /** All or none; of a batch with an id that is there already the server takes none, so its events go one by one. */
  const publishSome = async (events: readonly Event[], catalog: number): Promise<Published[]> => {
    await room.acquire();
    try {
      await whenNotBusy(() => publisher.publishBatch(events.map((event) => message(event, catalog))));
      return events.map(({ id }) => ({ id, duplicate: false }));
    } catch (error) {
      if (!refusedWith(error, "batchDuplicate")) throw error;
      const published: Published[] = [];
      for (const event of events) published.push(await publishOne(event, catalog));
      return published;
    } finally {
      room.release();
    }
  };

  const whenNotBusy = async <T>(publish: () => Promise<T>): Promise<T> => {
    const until = clock.now() + busyForMs;
    for (;;) {
      try {
        return await publish();
      } catch (error) {
        if (!refusedWith(error, "busy") || clock.now() >= until) throw error;
        await new Promise<void>((resolve) => void clock.schedule(clock.now() + busyMs, resolve));
      }
    }
  };

  return async (batch, catalog = 0) => {
    try {
      if (batch.length === 1 && batch[0] !== undefined) return [await publishOne(batch[0], catalog)];
      const unique = [...firstOfEach(batch).values()];
      const published = new Map<string, Published>();
      for (let i = 0; i < unique.length; i += batchSize) {
        for (const one of await publishSome(unique.slice(i, i + batchSize), catalog))
          published.set(one.id, one);
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
  };
}

/** By id; of several with one id, the first. */
function firstOfEach(events: readonly Event[]): ReadonlyMap<string, Event> {
  const byId = new Map<string, Event>();
  for (const event of events) if (!byId.has(event.id)) byId.set(event.id, event);
  return byId;
}
