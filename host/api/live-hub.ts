import type { Live, LiveMessage } from "../live.ts";

/** Whoever is sent messages: a text is written to it, and it says whether it can take more now. */
export interface LiveSink {
  /** False: the sink is full, until it calls back what `onDrain` gave it. */
  write(text: string): boolean;
  onDrain(callback: () => void): void;
  /** Ends it in an orderly way. */
  end(): void;
  /** Cuts it off. */
  cut(): void;
}

/** One client of live messages. */
export interface LiveClient {
  /** Queues a text. */
  send(text: string): void;
  /** Takes no more messages; ends the sink once what is queued was written. */
  end(): void;
  /** Takes no more messages, at once. */
  forget(): void;
}

/** Hands the live messages of a host on to clients, and never waits for a slow one. */
export interface LiveHub {
  readonly size: number;
  /** `encode` gives the text for a message; undefined: none for this client. */
  add(sink: LiveSink, encode: (message: LiveMessage) => string | undefined): LiveClient;
  /** Ends all clients. */
  close(): void;
}

/** Characters that are joined into one write: few writes, and little memory that clients don't share. */
const pieceSize = 64 * 1024;

/**
 * Messages of one turn of the event loop are written together. A client whose backlog grows over `backlog` characters
 * is cut off: a host must not fill its memory for somebody who does not read.
 */
export function createLiveHub(
  live: Live,
  { backlog, heartbeatMs }: { readonly backlog: number; readonly heartbeatMs: number },
): LiveHub {
  const clients = new Map<LiveClient, (message: LiveMessage) => string | undefined>();
  let unsubscribe: (() => void) | undefined;
  let heartbeat: NodeJS.Timeout | undefined;

  const hand = (message: LiveMessage): void => {
    for (const [client, encode] of clients) {
      const text = encode(message);
      if (text !== undefined) client.send(text);
    }
  };
  const begin = (): void => {
    unsubscribe = live.subscribe(hand);
    heartbeat = setInterval(() => {
      for (const client of clients.keys()) client.send(": still here\n\n");
    }, heartbeatMs);
    heartbeat.unref();
  };
  const forget = (client: LiveClient): void => {
    if (!clients.delete(client) || clients.size > 0) return;
    unsubscribe?.();
    clearInterval(heartbeat);
  };

  return {
    get size() {
      return clients.size;
    },
    add(sink, encode) {
      const client = createClient(sink, backlog, () => forget(client));
      if (clients.size === 0) begin();
      clients.set(client, encode);
      return client;
    },
    close() {
      for (const client of clients.keys()) client.end();
    },
  };
}

function createClient(sink: LiveSink, backlog: number, onEnd: () => void): LiveClient {
  let queue: string[] = [];
  let queued = 0;
  let scheduled = false;
  let full = false;
  let open = true;

  const nextPiece = (): string => {
    let size = 0;
    let count = 0;
    while (count < queue.length && size < pieceSize) size += queue[count++]?.length ?? 0;
    queued -= size;
    return queue.splice(0, count).join("");
  };
  const flush = (): void => {
    scheduled = false;
    while (open && !full && queue.length > 0) full = !sink.write(nextPiece());
  };
  const stop = (): void => {
    open = false;
    queue = [];
    onEnd();
  };
  sink.onDrain(() => {
    full = false;
    flush();
  });

  return {
    send(text) {
      if (!open) return;
      queue.push(text);
      queued += text.length;
      if (queued > backlog) {
        stop();
        sink.cut();
      } else if (!scheduled && !full) {
        scheduled = true;
        setImmediate(flush);
      }
    },
    end() {
      if (!open) return;
      const rest = queue.join("");
      stop();
      if (rest !== "") sink.write(rest);
      sink.end();
    },
    forget() {
      if (open) stop();
    },
  };
}
