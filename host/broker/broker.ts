import type { RuntimeName } from "../../runtime/driver.ts";
import type { Problem } from "../errors.ts";
import type { Event } from "../event/event.ts";

/** An event with its place in the broker's order, which only grows. */
export interface StoredEvent {
  readonly seq: number;
  /** When the broker stored it, in milliseconds since 1970-01-01T00:00:00Z. */
  readonly storedAt: number;
  readonly event: Event;
  /** The revision of the catalog that its publisher knew, where hosts share one. */
  readonly catalog?: number;
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

/** Something that consumes; close() takes nothing new and waits for the handlers that are under way. */
export interface Consumer {
  close(): Promise<void>;
}

/**
 * What became of an item that was handed over. "done": it is acknowledged. "back": somebody must look at it again, at
 * once if there is another host. "lost": another host has it; it comes again only if that one does not finish it.
 */
export type Outcome = "done" | "back" | "lost";

/** An event that a client published straight to the broker, and that is none. */
export interface DeadLetter {
  /** Where it stands among the dead letters; grows. */
  readonly seq: number;
  /** When it was found out, in milliseconds since 1970-01-01T00:00:00Z. */
  readonly at: number;
  /** Where it was published. */
  readonly subject: string;
  readonly code: string;
  readonly message: string;
  readonly problems: readonly Problem[];
  /** As it was published; bytes that are not UTF-8 replaced. */
  readonly payload: string;
}

/** Messages that are no valid events. */
export interface DeadLetters {
  count(): Promise<number>;
  /** Oldest first, behind `afterSeq`. */
  list(filter: { readonly afterSeq?: number; readonly limit: number }): Promise<readonly DeadLetter[]>;
  get(seq: number): Promise<DeadLetter | undefined>;
  /** Publishes it once more where it was published, as it is, and takes it off the list; false: there is none. */
  resubmit(seq: number): Promise<boolean>;
  discard(seq: number): Promise<boolean>;
}

/** Moves events and wakes runs, at least once. */
export interface Broker {
  /**
   * True where hosts share the store: an item is this host's for as long as its handler goes on, and another one gets
   * it when this one is gone. False: the one host takes up by itself what it left when it ended.
   */
  readonly leased: boolean;
  /**
   * Stores the events in order; resolves when all are durable. Throws ERR_STORE_… when none was stored, or that is not
   * known. `catalog`: the revision of the catalog that the publisher knows.
   */
  publish(events: readonly Event[], catalog?: number): Promise<readonly Published[]>;
  /**
   * Hands over every stored event that was not yet acknowledged. A rejected handler gets the event again after a pause.
   * `redelivered`: another host may have had it before.
   */
  consumeEvents(
    handler: (event: StoredEvent, redelivered: boolean) => Promise<Outcome>,
    options: { readonly maxInFlight: number },
  ): Promise<Consumer>;
  /** Asks that some host look at this run, soon; with `runtime`, one that has its driver. Durable when it resolves. */
  wake(runId: string, runtime?: RuntimeName): Promise<void>;
  /** Hands over wakes that name none but these runtimes; acknowledged and repeated as events are. */
  consumeWakes(
    handler: (runId: string) => Promise<Outcome>,
    options: { readonly maxInFlight: number; readonly runtimes: readonly RuntimeName[] },
  ): Promise<Consumer>;
  /** Reads stored events, all acknowledged writes included. */
  readEvents(filter: EventFilter): Promise<readonly StoredEvent[]>;
  /** The stored event with this id. */
  readEvent(id: string): Promise<StoredEvent | undefined>;
  /** How long events are kept, in milliseconds; Infinity: for good. */
  keeps(): Promise<number>;
  /** A place in the order of events: all up to it were acknowledged by some host. Some behind it may be, too. */
  settled(): Promise<number>;
  readonly deadLetters: DeadLetters;
  /** Resolves when the store answers; throws ERR_STORE_UNAVAILABLE. */
  ready(): Promise<void>;
  close(): Promise<void>;
}
