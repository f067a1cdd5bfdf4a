import type { Event } from "../event/event.ts";

/** An event with its place in the broker's order, which only grows. */
export interface StoredEvent {
  readonly seq: number;
  /** When the broker stored it, in milliseconds since 1970-01-01T00:00:00Z. */
  readonly storedAt: number;
  readonly event: Event;
}

/** What became of one published event. */
export interface Published {
  readonly id: string;
  /** An event with this id was stored before, within the dedupe window: nothing was added. */
  readonly duplicate: boolean;
}

/** Which stored events to read, oldest first. */
export interface EventFilter {
  readonly name?: string;
  /** Only events behind this one; 0 or absent: from the beginning. */
  readonly afterSeq?: number;
  /** Newest first instead; then `beforeSeq` pages on. */
  readonly newestFirst?: boolean;
  readonly beforeSeq?: number;
  readonly limit: number;
}

/** Something that consumes; close() waits for the handlers that are under way. */
export interface Consumer {
  close(): Promise<void>;
}

/** Moves events and wakes runs, at least once. */
export interface Broker {
  /** Stores the events in order; resolves when all are durable. Throws ERR_STORE_… when none was stored. */
  publish(events: readonly Event[]): Promise<readonly Published[]>;
  /** Hands over every stored event that was not yet acknowledged. A resolved handler acknowledges; a rejected one gets the event again. */
  consumeEvents(
    handler: (event: StoredEvent) => Promise<void>,
    options: { readonly maxInFlight: number },
  ): Promise<Consumer>;
  /** Asks that some host look at this run, soon. Durable when it resolves. */
  wake(runId: string): Promise<void>;
  /** Hands over wakes; acknowledged and repeated as events are. */
  consumeWakes(
    handler: (runId: string) => Promise<void>,
    options: { readonly maxInFlight: number },
  ): Promise<Consumer>;
  /** Reads stored events, all acknowledged writes included. */
  readEvents(filter: EventFilter): Promise<readonly StoredEvent[]>;
  /** The stored event with this id. */
  readEvent(id: string): Promise<StoredEvent | undefined>;
  close(): Promise<void>;
}
