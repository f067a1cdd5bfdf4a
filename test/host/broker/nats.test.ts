import { afterAll, beforeAll, describe } from "vitest";
import { createNatsBroker } from "../../../host/broker/nats.ts";
import { systemClock } from "../../../host/clock.ts";
import { accept } from "../nats/accept.ts";
import { findNatsServer } from "../nats/find-server.ts";
import { useInstallation } from "../nats/installation.ts";
import { brokerContract } from "./broker-contract.ts";

const program = findNatsServer();

describe.skipIf(program === undefined).each([
  { on: "a single nats-server", servers: 1 },
  { on: "a cluster of three nats-servers", servers: 3 },
])("on $on", ({ servers }) => {
  const installation = useInstallation(program ?? "", { beforeAll, afterAll }, servers);
  brokerContract(
    "nats:",
    async () => {
      const on = await installation.open(systemClock);
      let broker = await createNatsBroker(on.session, accept);
      return {
        broker,
        async reopen() {
          await broker.close();
          broker = await createNatsBroker(await on.reopen(), accept);
          return broker;
        },
        async dispose() {
          await broker.close();
          await on.dispose();
        },
      };
    },
    { outlivesClose: true },
  );
});
