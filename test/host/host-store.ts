import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe } from "vitest";
import type { HostConfig } from "../../host/index.ts";
import { findNatsServer } from "./nats/find-server.ts";
import { startNatsServer, type NatsServer } from "./nats/server.ts";

/** Where the hosts of one test have their store. */
export interface HostStore {
  readonly config: Pick<HostConfig, "store" | "nats">;
  dispose(): Promise<void>;
}

/** A store that is gone with its host. */
export async function memoryStore(): Promise<HostStore> {
  return { config: { store: "memory:" }, dispose: async () => undefined };
}

/** A file of its own. */
export async function sqliteStore(): Promise<HostStore> {
  const folder = await mkdtemp(join(tmpdir(), "millrace-store-"));
  return {
    config: { store: `sqlite:${join(folder, "store.db")}` },
    dispose: () => rm(folder, { recursive: true }),
  };
}

/** Tests on one nats-server, where `open` gives an installation of its own; skipped where there is no such server. */
export function onNatsServer(tests: (open: () => Promise<HostStore>) => void): void {
  const program = findNatsServer();
  describe.skipIf(program === undefined)("on a nats-server", () => {
    let server: NatsServer;
    let installations = 0;
    beforeAll(async () => {
      server = await startNatsServer(program ?? "");
    });
    afterAll(() => server.stop());
    tests(async () => ({
      config: { store: server.url, nats: { prefix: `hosts${(installations += 1)}`, leaseMs: 2_000 } },
      dispose: async () => undefined,
    }));
  });
}
