import { createServer as createHttpServer, type RequestListener, type Server } from "node:http";
import {
  createServer as createHttp2Server,
  type Http2ServerRequest,
  type Http2ServerResponse,
} from "node:http2";
import { createServer as createHttpsServer } from "node:https";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { closeOnePort } from "./one-port-close.ts";
import { guardSessions } from "./sessions.ts";
import { sniff } from "./sniff.ts";
import type { Timeouts } from "./timeouts.ts";

/** A certificate chain and its private key, in PEM. */
export interface TlsKeys {
  readonly key: string | Buffer;
  readonly cert: string | Buffer;
}

/** One port for HTTP/1.1 and HTTP/2. */
export interface OnePort {
  /** The server that listens; it speaks HTTP/1.1 itself and passes HTTP/2 connections on. */
  readonly server: Server;
  /** Stops listening, lets requests under way end for `graceMs`, then cuts what is left. */
  close(graceMs: number): Promise<void>;
}

/** Body bytes that an HTTP/2 client may send ahead; the protocol's 64 KiB make uploads crawl over a slow line. */
const windowBytes = 1024 * 1024;

/**
 * A server whose one port speaks both protocols. With `tls`, ALPN decides; without, the connection's first bytes do
 * (HTTP/2 with prior knowledge, RFC 9113 section 3.3).
 */
export function createOnePort(
  handler: RequestListener,
  { tls, timeouts }: { readonly tls?: TlsKeys | undefined; readonly timeouts: Timeouts },
): OnePort {
  const options = {
    headersTimeout: Math.min(timeouts.headersMs, timeouts.requestMs),
    requestTimeout: timeouts.requestMs,
    keepAliveTimeout: timeouts.idleMs,
    connectionsCheckingInterval: Math.max(100, Math.min(5_000, timeouts.headersMs / 2)),
  };
  const server =
    tls === undefined
      ? createHttpServer(options, handler)
      : createHttpsServer(
          { ...options, ...tls, ALPNProtocols: ["h2", "http/1.1"], handshakeTimeout: timeouts.headersMs },
          handler,
        );
  // A client that does not read its answer keeps neither its connection nor the answer for ever.
  server.setTimeout(Math.max(timeouts.idleMs, timeouts.requestMs));
  const http2 = createHttp2Server({ settings: { initialWindowSize: windowBytes } });
  // Node types the two kinds of requests apart; its HTTP/2 ones are made to be used as those of HTTP/1.1.
  const http2Handler = handler as unknown as (
    request: Http2ServerRequest,
    response: Http2ServerResponse,
  ) => void;
  http2.on("request", http2Handler);
  // Whether the body of such a request is wanted is said when it is about to be read.
  server.on("checkContinue", handler);
  http2.on("checkContinue", http2Handler);
  const sessions = guardSessions(http2, timeouts);
  const undecided = new Set<Socket>();
  const sockets = new Set<Socket>();

  const event = tls === undefined ? "connection" : "secureConnection";
  const [http1Listener] = server.listeners(event);
  server.removeAllListeners(event);
  const serveHttp1 = (socket: Socket): void => {
    http1Listener?.call(server, socket);
  };
  const serveHttp2 = (socket: Socket): void => {
    http2.emit("connection", socket);
  };
  if (tls === undefined) {
    server.on("connection", (socket: Socket) =>
      sniff(socket, { undecided, timeoutMs: timeouts.headersMs, serveHttp1, serveHttp2 }),
    );
  } else {
    server.on("secureConnection", (socket: TLSSocket) =>
      socket.alpnProtocol === "h2" ? serveHttp2(socket) : serveHttp1(socket),
    );
  }

  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });

  return { server, close: (graceMs) => closeOnePort({ server, sessions, undecided, sockets }, graceMs) };
}
