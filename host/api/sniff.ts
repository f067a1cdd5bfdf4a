import type { Socket } from "node:net";

/** What every HTTP/2 connection begins with (RFC 9113 section 3.4). No HTTP/1.1 request does. */
const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");

/** Reads the first bytes of a connection until they tell the protocol, and hands it on with nothing consumed. */
export function sniff(
  socket: Socket,
  options: {
    /** Holds the socket for as long as it is not handed on. */
    readonly undecided: Set<Socket>;
    /** A connection that does not tell within this time is cut. */
    readonly timeoutMs: number;
    readonly serveHttp1: (socket: Socket) => void;
    readonly serveHttp2: (socket: Socket) => void;
  },
): void {
  let seen: Buffer | undefined;
  const cut = (): void => {
    socket.destroy();
  };
  const timer = setTimeout(cut, options.timeoutMs);
  const release = (): void => {
    clearTimeout(timer);
    options.undecided.delete(socket);
    socket.off("data", onData).off("end", cut).off("error", cut).off("close", release);
  };
  const onData = (chunk: Buffer): void => {
    seen = seen === undefined ? chunk : Buffer.concat([seen, chunk]);
    const length = Math.min(seen.length, preface.length);
    const matches = preface.compare(seen, 0, length, 0, length) === 0;
    if (matches && length < preface.length) return;
    release();
    socket.pause();
    socket.unshift(seen);
    if (matches) {
      // The session takes what was unshifted, then reads from the socket's handle: nothing must flow past it.
      options.serveHttp2(socket);
    } else {
      options.serveHttp1(socket);
      socket.resume();
    }
  };
  options.undecided.add(socket);
  socket.on("data", onData).on("end", cut).on("error", cut).on("close", release);
}
