import type { Server } from "node:http";
import type { Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import type { Sessions } from "./sessions.ts";

/** Stops listening, lets requests under way end for `graceMs`, then cuts what is left. */
export async function closeOnePort(
  port: {
    readonly server: Server;
    readonly sessions: Sessions;
    /** Connections that have not sent a request yet. */
    readonly undecided: ReadonlySet<Socket>;
    /** All connections, these included. */
    readonly sockets: ReadonlySet<Socket>;
  },
  graceMs: number,
): Promise<void> {
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  // The error says that the server did not listen, and then there is nothing to wait for.
  port.server.close(() => resolve());
  for (const socket of port.undecided) socket.destroy();
  for (const session of port.sessions.open) session.close();
  // A connection that becomes idle from now on is not closed by itself.
  const idle = setInterval(() => port.server.closeIdleConnections(), 10);
  const deadline = new AbortController();
  await Promise.race([closed, delay(graceMs, undefined, { signal: deadline.signal }).catch(() => {})]);
  deadline.abort();
  clearInterval(idle);
  for (const session of port.sessions.open) session.destroy();
  for (const socket of port.sockets) socket.destroy();
  await closed;
  port.sessions.stop();
}
