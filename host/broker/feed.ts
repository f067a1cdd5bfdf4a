import type { Clock } from "../clock.ts";
import type { Consumer, Outcome } from "./broker.ts";
import { createMark } from "./mark.ts";

/** Hands the rows of a growing table to one consumer, in order, from memory where it can. */
export interface Feed<T extends { readonly seq: number }> {
  /** Tells of a row that was just committed; rows come in the order of their seq. */
  offer(item: T): void;
  /** Starts to hand over; what a handler rejects, or is not done with, comes again after a pause. */
  consume(handler: (item: T) => Promise<Outcome>, maxInFlight: number): Consumer;
  /** The item up to which all are acknowledged. */
  acknowledged(): number;
  close(): Promise<void>;
}

interface FeedOptions<T> {
  readonly clock: Clock;
  /** Items held in memory, at most. */
  readonly pageSize: number;
  /** The last item that was acknowledged before this process began. */
  readonly start: number;
  /** The last item that was stored before this process began. */
  readonly end: number;
  /** Reads stored items behind a seq, in order. */
  read(after: number, limit: number): readonly T[];
  /** Says that the mark below which all is acknowledged has moved; `seq()` gives where it stands. */
  acknowledged(seq: () => number): void;
}

/** The pause before a rejected item is handed over again, in milliseconds. */
const redeliveryDelay = 1_000;

export function createFeed<T extends { readonly seq: number }>(options: FeedOptions<T>): Feed<T> {
  const { clock, pageSize, read, acknowledged } = options;
  /** Read or offered, not yet handed over. */
  let buffer: T[] = [];
  let head = 0;
  let bufferedTo = options.start;
  let storedTo = options.end;
  const mark = createMark(options.start);
  let markSaved = true;
  let handler: ((item: T) => Promise<Outcome>) | undefined;
  let maxInFlight = 0;
  let inFlight = 0;
  let closed = false;
  let drained: (() => void) | undefined;
  const cancelRetries = new Set<() => void>();

  const take = (): T | undefined => {
    if (head >= pageSize || head === buffer.length) {
      buffer = buffer.slice(head);
      head = 0;
    }
    if (buffer.length === 0) {
      if (bufferedTo >= storedTo) return undefined;
      buffer = [...read(bufferedTo, pageSize)];
      bufferedTo = buffer.at(-1)?.seq ?? storedTo;
    }
    return buffer[head++];
  };

  const acknowledge = (seq: number): void => {
    if (!mark.acknowledge(seq) || !markSaved) return;
    markSaved = false;
    acknowledged(() => {
      markSaved = true;
      return mark.at();
    });
  };

  const retry = (item: T): void => {
    const cancel = clock.schedule(clock.now() + redeliveryDelay, () => {
      cancelRetries.delete(cancel);
      void deliver(item);
    });
    cancelRetries.add(cancel);
  };

  const deliver = async (item: T): Promise<void> => {
    if (handler === undefined) return;
    inFlight += 1;
    try {
      // Why a handler rejects is its own to report; here it only counts that the item comes again.
      const outcome = await handler(item).catch(() => "back");
      if (outcome === "done") acknowledge(item.seq);
      else if (!closed) retry(item);
    } finally {
      inFlight -= 1;
      if (closed && inFlight === 0) drained?.();
      pump();
    }
  };

  const pump = (): void => {
    while (handler !== undefined && !closed && inFlight < maxInFlight) {
      const item = take();
      if (item === undefined) return;
      mark.hand(item.seq);
      void deliver(item);
    }
  };

  const close = async (): Promise<void> => {
    closed = true;
    for (const cancel of cancelRetries) cancel();
    cancelRetries.clear();
    if (inFlight > 0) await new Promise<void>((resolve) => (drained = resolve));
  };

  return {
    offer(item) {
      if (bufferedTo === storedTo && buffer.length - head < pageSize) {
        buffer.push(item);
        bufferedTo = item.seq;
      }
      storedTo = item.seq;
      pump();
    },
    consume(newHandler, limit) {
      handler = newHandler;
      maxInFlight = limit;
      // A handler may run at once; the caller gets its consumer first.
      queueMicrotask(pump);
      return { close };
    },
    acknowledged: () => mark.at(),
    close,
  };
}
