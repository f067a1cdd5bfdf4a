import { headers, type MsgHdrs, type NatsConnection } from "@nats-io/transport-node";
import type { Clock } from "../clock.ts";
import { MillraceError } from "../errors.ts";
import { onInterruption } from "./interruption.ts";

/** Where a message was stored; `duplicate`: an earlier one with its Nats-Msg-Id was, within the dedupe window. */
interface Stored {
  readonly seq: number;
  readonly duplicate: boolean;
}

/** Publishes to streams. The client's own publish makes a request of each, at six times the cost. */
export interface Publisher {
  /**
   * Resolves once the server has acknowledged. Throws RefusedError when the server refused, ERR_STORE_UNAVAILABLE when
   * no answer came: the message may then be stored all the same.
   */
  publish(subject: string, payload: string | Uint8Array, header?: MsgHdrs): Promise<Stored>;
  /** Stores all of them or none; they must be of one stream. */
  publishBatch(messages: readonly BatchMessage[]): Promise<void>;
  close(): void;
}

interface BatchMessage {
  readonly subject: string;
  readonly payload: string;
  readonly header: MsgHdrs;
}

/** The server's refusal, by its error code (server/errors.json of nats-server). */
class RefusedError extends Error {
  readonly errorCode: number;
  constructor(errorCode: number, description: string) {
    super(description);
    this.name = "RefusedError";
    this.errorCode = errorCode;
  }
}

/** Codes of nats-server that are told apart here. */
export const serverErrors = {
  wrongLastSequence: [10071, 10164],
  batchDuplicate: [10201],
  busy: [10158, 10167, 10176, 10210],
  full: [10002, 10023, 10028, 10047, 10077],
  tooLarge: [10054],
} as const satisfies Record<string, readonly number[]>;

export function refusedWith(error: unknown, kind: keyof typeof serverErrors): boolean {
  return error instanceof RefusedError && (serverErrors[kind] as readonly number[]).includes(error.errorCode);
}

interface Waiting {
  readonly resolve: (stored: Stored) => void;
  readonly reject: (error: Error) => void;
  readonly deadline: number;
}

interface PubAck {
  readonly seq?: number;
  readonly duplicate?: boolean;
  readonly error?: { readonly err_code: number; readonly description: string };
}

/** How long an acknowledgement is waited for, in milliseconds. */
const ackTimeoutMs = 5_000;
/** How long a connection may be gone before nothing more is kept for its return, in milliseconds. */
const goneMs = 1_000;
/** How often those that waited too long are looked for, in milliseconds. */
const sweepMs = 500;

export function createPublisher(connection: NatsConnection, clock: Clock, inbox: string): Publisher {
  const waiting = new Map<string, Waiting>();
  let count = 0;
  let batches = 0;

  const settle = (id: string): Waiting | undefined => {
    const found = waiting.get(id);
    waiting.delete(id);
    return found;
  };
  const subscription = connection.subscribe(`${inbox}.*`, {
    callback(error, message) {
      const found = settle(message.subject.slice(inbox.length + 1));
      if (found === undefined) return;
      if (error !== null || message.data.length === 0) return found.reject(unanswered("no stream took it"));
      const ack = message.json<PubAck>();
      if (ack.error !== undefined)
        return found.reject(new RefusedError(ack.error.err_code, ack.error.description));
      found.resolve({ seq: ack.seq ?? 0, duplicate: ack.duplicate === true });
    },
  });

  let cancelSweep: (() => void) | undefined;
  const sweep = (): void => {
    const now = clock.now();
    for (const [id, { deadline, reject }] of waiting) {
      if (deadline > now) break;
      waiting.delete(id);
      reject(unanswered("it did not answer in time"));
    }
    cancelSweep = waiting.size === 0 ? undefined : clock.schedule(now + sweepMs, sweep);
  };

  // The client keeps everything for the server's return, without a bound: that is for short interruptions.
  let goneAt: number | undefined;
  onInterruption(connection, {
    lost: () => void (goneAt ??= clock.now()),
    back: () => void (goneAt = undefined),
  });
  const gone = (): boolean =>
    connection.isClosed() || (goneAt !== undefined && clock.now() - goneAt > goneMs);

  const publish: Publisher["publish"] = (subject, payload, header) =>
    new Promise((resolve, reject) => {
      if (gone()) {
        reject(unanswered("there is no connection"));
        return;
      }
      const now = clock.now();
      const id = (count++).toString(36);
      try {
        connection.publish(subject, payload, {
          reply: `${inbox}.${id}`,
          ...(header === undefined ? {} : { headers: header }),
        });
      } catch (error) {
        reject(unanswered("the connection is closed", error));
        return;
      }
      waiting.set(id, { resolve, reject, deadline: now + ackTimeoutMs });
      cancelSweep ??= clock.schedule(now + sweepMs, sweep);
    });

  return {
    publish,
    async publishBatch(messages) {
      if (gone()) throw unanswered("there is no connection");
      const id = `${inbox.slice(inbox.lastIndexOf(".") + 1)}${(batches++).toString(36)}`;
      let committed: Promise<Stored> | undefined;
      messages.forEach(({ subject, payload, header }, index) => {
        header.set("Nats-Batch-Id", id);
        header.set("Nats-Batch-Sequence", String(index + 1));
        if (index === messages.length - 1) {
          header.set("Nats-Batch-Commit", "1");
          committed = publish(subject, payload, header);
        } else {
          connection.publish(subject, payload, { headers: header });
        }
      });
      await committed;
    },
    close() {
      subscription.unsubscribe();
      cancelSweep?.();
      for (const { reject } of waiting.values()) reject(unanswered("the host is stopping"));
      waiting.clear();
    },
  };
}

/** Headers of a message, by name. */
export function headersOf(byName: Readonly<Record<string, string>>): MsgHdrs {
  const made = headers();
  for (const [name, value] of Object.entries(byName)) made.set(name, value);
  return made;
}

function unanswered(why: string, cause?: unknown): MillraceError {
  return new MillraceError("ERR_STORE_UNAVAILABLE", `The NATS server did not take the message: ${why}.`, {
    cause,
  });
}

/** What a user is told of a refusal. */
export function storeError(error: unknown): unknown {
  if (!(error instanceof RefusedError)) return error;
  const options = { cause: error };
  if (refusedWith(error, "full"))
    return new MillraceError("ERR_STORE_FULL", `The NATS stream is full: ${error.message}.`, options);
  if (refusedWith(error, "tooLarge"))
    return new MillraceError(
      "ERR_EVENT_TOO_LARGE",
      `The NATS stream takes no message of this size.`,
      options,
    );
  return new MillraceError(
    "ERR_STORE_UNAVAILABLE",
    `The NATS server refused the message: ${error.message}.`,
    options,
  );
}
