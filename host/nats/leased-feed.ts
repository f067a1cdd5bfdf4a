import { createInbox, type Msg, type Subscription } from "@nats-io/transport-node";
import type { Consumer, Outcome } from "../broker/broker.ts";
import type { Clock } from "../clock.ts";
import { largestAnswer } from "./answer-size.ts";
import { onInterruption } from "./interruption.ts";
import type { NatsSession } from "./session.ts";

/** A message that was handed over, for as long as its handler goes on. */
export interface Delivered {
  readonly message: Msg;
  /** Its sequence in its stream. */
  readonly seq: number;
  /** When it was stored, in milliseconds since 1970-01-01T00:00:00Z. */
  readonly storedAt: number;
  /** 1 for the first. */
  readonly deliveries: number;
}

export interface LeasedFeedOptions {
  readonly stream: string;
  readonly consumer: string;
  /** Messages that are under way at once, at most. */
  readonly maxInFlight: number;
  handle(delivered: Delivered): Promise<Outcome>;
}

/** A request for messages waits this long at the server, in milliseconds. */
const requestMs = 30_000;
/** While it waits, the server shows that often that it still does, in milliseconds: at most, and at least. */
const slowestHeartbeatMs = 5_000;
const fastestHeartbeatMs = 500;
/** The pause before a server that does not take requests now is asked again, in milliseconds. */
const askAgainMs = 250;
/** How long closing waits for a server that may not answer, in milliseconds. */
const farewellMs = 2_000;
/** Messages in one request, at most. */
const largestRequest = 500;
/** The pause before a message whose handler rejected comes again, in milliseconds. */
const redeliveryMs = 1_000;

/** What the server says of a request whose bytes or messages have all come, beside code 409. */
const spent = new Set(["Message Size Exceeds MaxBytes", "Batch Completed"]);

const ack = "+ACK";
const negative = "-NAK";
const working = "+WPI";

/**
 * Takes messages off a durable consumer, as many as there is room for and none ahead. An unacknowledged message is a
 * lease: it is kept up while the handler goes on, and the server hands the message to another host when that ends.
 * The client's own consume() takes messages ahead, whose leases then run while nobody works on them.
 */
export function createLeasedFeed(session: NatsSession, options: LeasedFeedOptions): Consumer {
  const { connection, clock, leaseMs } = session;
  const heartbeatMs = Math.min(slowestHeartbeatMs, Math.max(leaseMs / 6, fastestHeartbeatMs));
  const requestSubject = `$JS.API.CONSUMER.MSG.NEXT.${options.stream}.${options.consumer}`;
  let inbox = "";
  let subscription: Subscription | undefined;
  /** Messages that were asked for and have not come. */
  let asked = 0;
  let heardAt = clock.now();
  let askingAgain = false;
  let closed = false;
  let closing: Promise<void> | undefined;
  let idle: (() => void) | undefined;

  const respond = (reply: string, what: string): void => {
    // A closed connection takes nothing; the lease then runs out by itself.
    if (!connection.isClosed()) connection.publish(reply, what);
  };

  const leases = createLeases(session, (reply) => respond(reply, working));

  const request = (): void => {
    const room = options.maxInFlight - leases.size;
    if (closed || asked > room / 2) return;
    const batch = Math.min(room - asked, largestRequest);
    if (batch < 1 || connection.isClosed()) return;
    asked += batch;
    const limits = {
      batch,
      max_bytes: largestAnswer(connection),
      expires: requestMs * 1e6,
      idle_heartbeat: heartbeatMs * 1e6,
    };
    connection.publish(requestSubject, JSON.stringify(limits), { reply: inbox });
  };

  const work = async (message: Msg, reply: string): Promise<void> => {
    const delivered: Delivered = { message, ...place(reply) };
    leases.take(reply);
    // Why a handler rejects is its own to report; here it only counts that the message comes again.
    const outcome = await options.handle(delivered).catch(() => undefined);
    leases.end(reply);
    if (outcome === "done") respond(reply, ack);
    else if (outcome === "back" || closed) respond(reply, negative);
    else if (outcome === undefined) respond(reply, `${negative} {"delay":${redeliveryMs * 1e6}}`);
    if (leases.size === 0) idle?.();
    request();
  };

  const onMessage = (message: Msg): void => {
    heardAt = clock.now();
    const { reply } = message;
    if (reply === undefined || reply === "") return onStatus(message);
    asked = Math.max(asked - 1, 0);
    if (closed) respond(reply, negative);
    else void work(message, reply);
    request();
  };

  /** 100: the server still waits. Or a request is over, of which so many messages will not come. */
  const onStatus = ({ headers }: Msg): void => {
    if (headers === undefined || headers.code === 100) return;
    if (headers.code === 408 || spent.has(headers.description)) {
      asked = Math.max(asked - Number(headers.get("Nats-Pending-Messages")), 0);
      return request();
    }
    // Between two leaders, or with too many requests already, each one is turned down at once: no haste.
    if (askingAgain || closed) return;
    askingAgain = true;
    clock.schedule(clock.now() + askAgainMs, () => {
      askingAgain = false;
      if (!closed) restart();
    });
  };

  /** Begins anew with a subject of its own, so that nothing of earlier requests is counted for later ones. */
  const restart = (): void => {
    subscription?.unsubscribe();
    inbox = createInbox();
    asked = 0;
    heardAt = clock.now();
    subscription = connection.subscribe(inbox, {
      callback: (error, message) => {
        if (error === null) onMessage(message);
      },
    });
    request();
  };

  /** Keeps leases up, and asks again when the server has forgotten that it was asked. */
  let cancelTick: (() => void) | undefined;
  const everyMs = Math.min(leaseMs / 6, heartbeatMs);
  let tickedAt = clock.now();
  const tick = (): void => {
    const now = clock.now();
    leases.keepUp(now);
    // A process that was stopped for a while has not listened: what came meanwhile is still to be read.
    if (now - tickedAt > 2 * everyMs) heardAt = now;
    tickedAt = now;
    if (!closed && asked > 0 && now - heardAt > 3 * heartbeatMs) restart();
    cancelTick = clock.schedule(now + everyMs, tick);
  };

  const close = async (): Promise<void> => {
    closed = true;
    // Withdrawn first: what is handed back must not come here again.
    if (!connection.isClosed()) await farewell(clock, subscription?.drain());
    if (leases.size > 0) await new Promise<void>((resolve) => (idle = resolve));
    cancelTick?.();
    if (!connection.isClosed()) await farewell(clock, connection.flush());
  };

  restart();
  tick();
  // The server that has our requests may be gone, and they with it.
  onInterruption(connection, { back: () => void (closed || restart()) });
  return {
    close: () => (closing ??= close()),
  };
}

/** Leases by where they are acknowledged; each is kept up three times as often as it must be. */
function createLeases({ clock, leaseMs }: NatsSession, keep: (reply: string) => void) {
  /** When each must be kept up, in that order. */
  const due = new Map<string, number>();
  return {
    get size() {
      return due.size;
    },
    take: (reply: string) => void due.set(reply, clock.now() + leaseMs / 3),
    end: (reply: string) => void due.delete(reply),
    keepUp(now: number): void {
      for (const [reply, at] of due) {
        if (at > now) break;
        due.delete(reply);
        due.set(reply, now + leaseMs / 3);
        keep(reply);
      }
    },
  };
}

/** Resolves when the server has answered, or after a while: without a connection no answer comes, and leases run out by themselves. */
async function farewell(clock: Clock, goodbye: Promise<void> | undefined): Promise<void> {
  let cancel: (() => void) | undefined;
  const late = new Promise<void>((resolve) => {
    cancel = clock.schedule(clock.now() + farewellMs, resolve);
  });
  await Promise.race([goodbye?.catch(() => undefined), late]);
  cancel?.();
}

/**
 * Reads the subject on which a message is acknowledged: `$JS.ACK.[domain.account.]stream.consumer.deliveries.stream
 * sequence.consumer sequence.time in ns.pending[.token]`.
 */
function place(reply: string): Omit<Delivered, "message"> {
  const parts = reply.split(".");
  const from = parts.length > 9 ? 4 : 2;
  return {
    deliveries: Number(parts[from + 2]),
    seq: Number(parts[from + 3]),
    storedAt: Math.floor(Number(parts[from + 5]) / 1e6),
  };
}
