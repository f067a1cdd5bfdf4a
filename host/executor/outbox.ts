import type { Broker, StoredEvent } from "../broker/broker.ts";
import type { Clock } from "../clock.ts";
import type { Event } from "../event/event.ts";
import type { Intake } from "../event/intake.ts";
import type { Live } from "../live.ts";
import type { Catalog } from "../state/state.ts";

/** Checks and publishes events that runs bring about. */
export interface Outbox {
  /** Events of what a sender wrote; throws MillraceError with all that is wrong. */
  check(inputs: readonly unknown[]): readonly Event[];
  /** Durable when it resolves. `after`: those that were stored behind this place already are left as they are. */
  publish(events: readonly Event[], after?: number): Promise<void>;
  /** The event as it is stored behind this place. */
  find(event: Event, after: number): Promise<StoredEvent | undefined>;
}

interface OutboxOptions {
  readonly broker: Pick<Broker, "publish" | "readEvents">;
  readonly catalog: Pick<Catalog, "newest">;
  readonly intake: Pick<Intake, "events">;
  readonly clock: Clock;
  readonly live: Live;
}

/** Events that are looked through at once. */
const pageSize = 500;

export function createOutbox({ broker, catalog, intake, clock, live }: OutboxOptions): Outbox {
  const find: Outbox["find"] = async ({ id, name }, after) => {
    for (let afterSeq = after; ;) {
      const page = await broker.readEvents({ name, afterSeq, limit: pageSize });
      const found = page.find(({ event }) => event.id === id);
      const last = page.at(-1);
      if (found !== undefined || last === undefined || page.length < pageSize) return found;
      afterSeq = last.seq;
    }
  };

  return {
    find,
    check: (inputs) => intake.events(inputs),
    async publish(events, after) {
      // Brokers know an event again for a while; after that a second copy would count for waits.
      const stored = after === undefined ? [] : await Promise.all(events.map((one) => find(one, after)));
      const missing = events.filter((_, index) => stored[index] === undefined);
      if (missing.length === 0) return;
      const published = await broker.publish(missing, catalog.newest());
      if (!live.observed) return;
      const at = clock.now();
      for (const [index, event] of missing.entries()) {
        if (published[index]?.duplicate !== true) live.publish({ type: "event.stored", at, event });
      }
    },
  };
}
