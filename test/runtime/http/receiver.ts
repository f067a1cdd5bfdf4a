import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { once } from "node:events";
import type { AddressInfo, Socket } from "node:net";
import { text } from "node:stream/consumers";
import type { StepProgram } from "../../../runtime/driver.ts";

/** What a receiver got. */
interface Received {
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
  /** Which of its connections, counted from 1. */
  readonly connection: number;
}

/** Answers a request, when it likes. */
export type Answer = (request: Received, response: ServerResponse) => unknown;

/** An HTTP server on loopback, as a user's would be. */
export interface Receiver {
  readonly port: number;
  readonly received: readonly Received[];
  /** A step at one of its paths. */
  program(path: string, options?: StepProgram["runtime"] | object): StepProgram;
  close(): Promise<void>;
}

export async function startReceiver(answer: Answer): Promise<Receiver> {
  const received: Received[] = [];
  const connections = new Map<Socket, number>();
  const take = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { url: path = "", headers, socket } = request;
    if (!connections.has(socket)) connections.set(socket, connections.size + 1);
    const body = await text(request).catch(() => undefined);
    if (body === undefined) return;
    const got = { path, headers, body, connection: connections.get(socket) ?? 0 };
    received.push(got);
    await answer(got, response);
  };
  const server = createServer((request, response) => void take(request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    port,
    received,
    program: (path, options) => httpProgram(`http://127.0.0.1:${port}${path}`, options),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The program of a step at a URL, with the grant that its document implies. */
export function httpProgram(url: string, options: object = {}): StepProgram {
  const { protocol, hostname, port } = new URL(url);
  const scheme = protocol === "https:" ? "https" : "http";
  const ports = [port === "" ? (scheme === "https" ? 443 : 80) : Number(port)];
  return {
    runtime: { type: "http", url, private: true, ...options },
    capabilities: { http: [{ scheme, host: hostname, ports, methods: ["POST"], private: true }] },
  };
}
