import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";

/** Stands between hosts and one server, so that the connection can be cut or held up while both live. */
export interface Proxy {
  readonly port: number;
  /** Ends every connection; new ones are taken at once. */
  cut(): void;
  /** Ends every connection once so many more bytes have come from the server. */
  cutAfter(bytes: number): void;
  /** Ends every connection and refuses new ones, until mend(). */
  close(): void;
  /** Lets nothing through and tells nobody, as a network does that loses packets; until mend(). */
  halt(): void;
  /** Lets nothing of what the servers say through; until mend(). */
  haltAnswers(): void;
  mend(): void;
  stop(): Promise<void>;
}

export async function startProxy(target: number): Promise<Proxy> {
  const sockets = new Set<Socket>();
  let left = Number.POSITIVE_INFINITY;
  let way: "open" | "halted" | "unanswered" | "closed" = "open";

  const server = createServer((near) => {
    if (way === "closed") return near.destroy();
    const far = connect(target, "127.0.0.1");
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on("error", () => undefined);
      from.on("close", () => {
        sockets.delete(from);
        to.destroy();
      });
      if (way === "open") from.pipe(to);
      else from.pause();
    }
    far.on("data", ({ length }) => {
      left -= length;
      if (left > 0) return;
      left = Number.POSITIVE_INFINITY;
      cut();
    });
    if (way !== "open") far.pause();
    pairs.set(near, far);
    near.on("close", () => pairs.delete(near));
    return undefined;
  }).listen(0, "127.0.0.1");
  const pairs = new Map<Socket, Socket>();
  await once(server, "listening");

  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    cut,
    cutAfter(bytes) {
      left = bytes;
    },
    close() {
      way = "closed";
      cut();
    },
    halt() {
      way = "halted";
      for (const [near, far] of pairs) {
        near.unpipe(far).pause();
        far.unpipe(near).pause();
      }
    },
    haltAnswers() {
      way = "unanswered";
      for (const [near, far] of pairs) far.unpipe(near).pause();
    },
    mend() {
      if (way === "halted" || way === "unanswered") {
        for (const [near, far] of pairs) {
          near.pipe(far);
          far.pipe(near);
        }
      }
      way = "open";
    },
    async stop() {
      cut();
      server.close();
      await once(server, "close");
    },
  };
}
