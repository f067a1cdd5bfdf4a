import { systemClock } from "../../../host/clock.ts";
import { createSqliteState } from "../../../host/state/sqlite.ts";
import { embedded } from "../embedded-fixture.ts";
import { stateContract } from "./state-contract.ts";

for (const store of ["memory:", "sqlite:"] as const) {
  stateContract(
    store,
    async () => {
      const fixture = await embedded(store, (database) => createSqliteState(database, systemClock));
      return { ...fixture, state: fixture.current() };
    },
    { outlivesClose: store === "sqlite:" },
  );
}
