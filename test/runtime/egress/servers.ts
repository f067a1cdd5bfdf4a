import { readFileSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import {
  createServer as createTcpServer,
  type AddressInfo,
  type Server as TcpServer,
  type Socket,
} from "node:net";
import { afterEach } from "vitest";

const fixture = (name: string): string =>
  readFileSync(new URL(`../../fixtures/tls/${name}`, import.meta.url), "utf8");

/** The certificate of HTTPS servers, which signs itself. */
export const certificate = fixture("cert.pem");

/** What a server got, as it got it. */
export interface Received {
  readonly method: string;
  readonly url: string;
  readonly headers: readonly string[];
  readonly body: string;
}

/** A server on loopback that ends with the test. */
export interface Listening {
  readonly port: number;
  readonly received: readonly Received[];
}

const servers: (Server | (TcpServer & Pick<Server, "closeAllConnections">))[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => void server.close(resolve));
  }
});

/** Answers by `answer`; with `tls`, as `localhost` over HTTPS. */
export async function listen(
  answer: RequestListener,
  { host = "127.0.0.1", tls = false }: { readonly host?: string; readonly tls?: boolean } = {},
): Promise<Listening> {
  const received: Received[] = [];
  const listener: RequestListener = (request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { method = "", url = "", rawHeaders: headers } = request;
      received.push({ method, url, headers, body: Buffer.concat(chunks).toString("latin1") });
      answer(request, response);
    });
  };
  const server = tls
    ? createTlsServer({ cert: certificate, key: fixture("key.pem") }, listener)
    : createServer(listener);
  servers.push(server);
  return { port: await start(server, host), received };
}

/** Answers whatever comes with these bytes, or does what it wants; all that comes is in `received`. */
export async function listenRaw(answer: (text: string, socket: Socket) => string | void): Promise<{
  readonly port: number;
  readonly received: readonly string[];
}> {
  const received: string[] = [];
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("data", (data) => {
      received.push(data.toString("latin1"));
      const said = answer(data.toString("latin1"), socket);
      if (said !== undefined) socket.write(said, "latin1");
    });
  });
  servers.push(Object.assign(server, { closeAllConnections: () => sockets.forEach((it) => it.destroy()) }));
  return { port: await start(server, "127.0.0.1"), received };
}

async function start(server: Server | TcpServer, host: string): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, host, resolve);
  });
  return (server.address() as AddressInfo).port;
}
