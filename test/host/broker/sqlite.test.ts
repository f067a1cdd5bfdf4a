import { createSqliteBroker } from "../../../host/broker/sqlite.ts";
import { systemClock } from "../../../host/clock.ts";
import { embedded } from "../embedded-fixture.ts";
import { brokerContract } from "./broker-contract.ts";

for (const store of ["memory:", "sqlite:"] as const) {
  brokerContract(
    store,
    async () => {
      const fixture = await embedded(store, (database) => createSqliteBroker(database, systemClock));
      return { ...fixture, broker: fixture.current() };
    },
    { outlivesClose: store === "sqlite:" },
  );
}
