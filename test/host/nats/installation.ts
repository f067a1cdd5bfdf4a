import type { Clock } from "../../../host/clock.ts";
import type { NatsOptions } from "../../../host/nats/options.ts";
import { openSession, type NatsSession } from "../../../host/nats/session.ts";
import { startNatsCluster, startNatsServer, type NatsServer } from "./server.ts";

/** A session on an installation of its own, and a way to end and begin it again. */
export interface Installation {
  readonly session: NatsSession;
  readonly prefix: string;
  reopen(): Promise<NatsSession>;
  dispose(): Promise<void>;
}

interface Hooks {
  beforeAll(start: () => Promise<void>): void;
  afterAll(stop: () => Promise<void>): void;
}

/** One server, or a cluster of some, for all tests of a group; and on it an installation with its own prefix for each. */
export function useInstallation(
  program: string,
  hooks: Hooks,
  size = 1,
): { server(): NatsServer; open(clock: Clock, options?: NatsOptions): Promise<Installation> } {
  let servers: readonly NatsServer[] = [];
  let count = 0;
  hooks.beforeAll(async () => {
    servers = size === 1 ? [await startNatsServer(program)] : await startNatsCluster(program, size);
  });
  hooks.afterAll(async () => {
    for (const server of servers) await server.stop();
  });
  const running = (): NatsServer => {
    const [server] = servers;
    if (server === undefined) throw new Error("the server has not started");
    return server;
  };
  return {
    server: running,
    async open(clock, options = {}) {
      const prefix = options.prefix ?? `test${(count += 1)}`;
      const openOne = (name: string): Promise<NatsSession> =>
        openSession(running().url, { leaseMs: 2_000, replicas: size, ...options, clock, name, prefix });
      let session = await openOne("first");
      return {
        session,
        prefix,
        async reopen() {
          await session.close();
          session = await openOne("second");
          return session;
        },
        dispose: () => session.close(),
      };
    },
  };
}
