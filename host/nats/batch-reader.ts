import type { MsgHdrs, NatsConnection } from "@nats-io/transport-node";
import type { Clock } from "../clock.ts";

/** A stored message as a read gives it. */
export interface ReadMessage {
  readonly subject: string;
  readonly seq: number;
  readonly time: { getTime(): number };
  readonly header: MsgHdrs;
  readonly data: Uint8Array;
  /** Messages that come behind it, as the server knows; NaN where it was not asked for several. */
  readonly pending: number;
  json(): unknown;
}

/** Reads batches of messages. The client's own read makes a subscription of each, and ends it: at twice the cost. */
export interface BatchReader {
  /** What the server answers to a direct read of a batch; none when it has no such message. Throws when it does not answer. */
  read(stream: string, request: object): Promise<readonly ReadMessage[]>;
  close(): void;
}

interface Reading {
  readonly found: ReadMessage[];
  readonly deadline: number;
  resolve(found: readonly ReadMessage[]): void;
  reject(error: Error): void;
}

/** How long an answer may stop, in milliseconds; and how often that is looked for. */
const answerMs = 5_000;
const sweepMs = 500;

/** The status of the message that ends an answer, and of the one that says that there is nothing. */
const endOfBatch = 204;
const nothing = 404;

export function createBatchReader(connection: NatsConnection, clock: Clock, inbox: string): BatchReader {
  const readings = new Map<string, Reading>();
  let count = 0;
  let cancelSweep: (() => void) | undefined;

  const end = (id: string, error?: Error): void => {
    const reading = readings.get(id);
    readings.delete(id);
    if (error === undefined) reading?.resolve(reading.found);
    else reading?.reject(error);
  };
  const subscription = connection.subscribe(`${inbox}.*`, {
    callback(error, { subject, headers, data }) {
      const id = subject.slice(inbox.length + 1);
      if (error !== null || headers === undefined) return end(id, error ?? new Error("no stream answers"));
      const { code } = headers;
      if (code === endOfBatch || code === nothing) return end(id);
      if (code !== 0) return end(id, new Error(`${code} ${headers.description}`));
      const message = readMessage(headers, data);
      readings.get(id)?.found.push(message);
      // The answer to a read of one message has no end of its own.
      if (Number.isNaN(message.pending)) end(id);
    },
  });
  const sweep = (): void => {
    const now = clock.now();
    for (const [id, { deadline }] of readings) {
      if (deadline > now) break;
      end(id, new Error("the server did not answer in time"));
    }
    cancelSweep = readings.size === 0 ? undefined : clock.schedule(now + sweepMs, sweep);
  };

  return {
    read: (stream, request) =>
      new Promise((resolve, reject) => {
        const now = clock.now();
        const id = (count++).toString(36);
        const reply = `${inbox}.${id}`;
        try {
          connection.publish(`$JS.API.DIRECT.GET.${stream}`, JSON.stringify(request), { reply });
        } catch (error) {
          return reject(error);
        }
        readings.set(id, { found: [], deadline: now + answerMs, resolve, reject });
        cancelSweep ??= clock.schedule(now + sweepMs, sweep);
        return undefined;
      }),
    close() {
      cancelSweep?.();
      if (!connection.isClosed()) subscription.unsubscribe();
      for (const id of readings.keys()) end(id, new Error("the connection was closed"));
    },
  };
}

function readMessage(header: MsgHdrs, data: Uint8Array): ReadMessage {
  let parsed: unknown;
  return {
    subject: header.get("Nats-Subject"),
    seq: Number(header.get("Nats-Sequence")),
    header,
    data,
    pending: header.has("Nats-Num-Pending") ? Number(header.get("Nats-Num-Pending")) : Number.NaN,
    // oxlint-disable-next-line eslint/no-restricted-globals -- reads a time that was written, no clock
    time: { getTime: () => Date.parse(header.get("Nats-Time-Stamp")) },
    json: () => (parsed ??= JSON.parse(new TextDecoder().decode(data))),
  };
}
