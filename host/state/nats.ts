import type { NatsSession } from "../nats/session.ts";
import { createNatsArtifacts } from "./nats-artifacts.ts";
import { createNatsCatalog } from "./nats-catalog.ts";
import { createNatsGates } from "./nats-gates.ts";
import { createNatsKeyValues } from "./nats-key-values.ts";
import { createNatsQueues } from "./nats-queues.ts";
import { createNatsRuns } from "./nats-runs.ts";
import { createNatsWaits } from "./nats-waits.ts";
import { startRetention } from "./nats-retention.ts";
import type { State } from "./state.ts";

/** The state on JetStream; it closes the session. The server fires timers, and hands over a lost host's runs. */
export async function createNatsState(session: NatsSession): Promise<State> {
  const artifacts = await createNatsArtifacts(session);
  const keyValues = await createNatsKeyValues(session);
  const waits = createNatsWaits(session);
  const catalog = await createNatsCatalog(session);
  // What it could not remove this time it removes the next.
  const stopRetention = startRetention(session, () => undefined);
  return {
    runs: createNatsRuns(session, artifacts, waits),
    waits,
    gates: createNatsGates(session),
    queues: createNatsQueues(session),
    unattended: undefined,
    catalog,
    artifacts,
    keyValues,
    async close() {
      await stopRetention();
      await catalog.close();
      await session.close();
    },
  };
}
