import { afterAll, beforeAll, describe } from "vitest";
import { systemClock } from "../../../host/clock.ts";
import { createNatsState } from "../../../host/state/nats.ts";
import { findNatsServer } from "../nats/find-server.ts";
import { useInstallation } from "../nats/installation.ts";
import { stateContract } from "./state-contract.ts";

const program = findNatsServer();

describe.skipIf(program === undefined).each([
  { on: "a single nats-server", servers: 1 },
  { on: "a cluster of three nats-servers", servers: 3 },
])("on $on", ({ servers }) => {
  const installation = useInstallation(program ?? "", { beforeAll, afterAll }, servers);
  stateContract(
    "nats:",
    async () => {
      const on = await installation.open(systemClock);
      let state = await createNatsState(on.session);
      return {
        state,
        async reopen() {
          await state.close();
          state = await createNatsState(await on.reopen());
          return state;
        },
        async dispose() {
          await state.close();
          await on.dispose();
        },
      };
    },
    { outlivesClose: true },
  );
});
