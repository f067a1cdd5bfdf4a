import { afterAll, beforeAll, describe } from "vitest";
import { findNatsServer } from "../nats/find-server.ts";
import { startNatsServer, type NatsServer } from "../nats/server.ts";
import { sagasContract } from "./sagas-contract.ts";

const program = findNatsServer();

describe.skipIf(program === undefined)("on a nats-server", () => {
  let server: NatsServer;
  let installations = 0;
  beforeAll(async () => {
    server = await startNatsServer(program ?? "");
  });
  afterAll(() => server.stop());
  sagasContract("nats:", async () => ({
    config: { store: server.url, nats: { prefix: `sagas${(installations += 1)}`, leaseMs: 2_000 } },
    dispose: async () => undefined,
  }));
});
