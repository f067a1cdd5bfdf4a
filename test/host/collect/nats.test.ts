import { afterAll, beforeAll, describe } from "vitest";
import { findNatsServer } from "../nats/find-server.ts";
import { startNatsServer, type NatsServer } from "../nats/server.ts";
import { collectContract } from "./collect-contract.ts";

const program = findNatsServer();

describe.skipIf(program === undefined)("on a nats-server", () => {
  let server: NatsServer;
  let installations = 0;
  beforeAll(async () => {
    server = await startNatsServer(program ?? "");
  });
  afterAll(() => server.stop());
  collectContract(
    "nats:",
    async () => ({
      config: { store: server.url, nats: { prefix: `collect${(installations += 1)}`, leaseMs: 2_000 } },
      dispose: async () => undefined,
    }),
    { outlivesClose: true },
  );
});
