import type { Broker } from "../broker/broker.ts";
import type { Clock, Random } from "../clock.ts";
import type { Definitions } from "../executor/definitions.ts";
import type { Notices } from "../executor/notices.ts";
import type { State } from "../state/state.ts";
import { type Admission, createAdmission } from "./admission.ts";
import { type Concurrency, createConcurrency } from "./concurrency.ts";
import { createMemoryGates } from "./memory-gates.ts";

/** What decides which runs begin, and which of them execute steps. */
interface FlowControl {
  readonly admission: Admission;
  readonly concurrency: Concurrency;
}

interface FlowControlOptions {
  readonly state: Pick<State, "gates" | "queues" | "runs" | "unattended">;
  readonly broker: Pick<Broker, "wake">;
  readonly definitions: Definitions;
  readonly notices: Notices;
  readonly clock: Clock;
  readonly random: Random;
  /** Throws ERR_RUN_UNKNOWN and ERR_RUN_STATE. */
  cancel(runId: string, reason: string): Promise<void>;
}

export function createFlowControl({ state, broker, ...options }: FlowControlOptions): FlowControl {
  const { gates, queues, runs, unattended } = state;
  // A host that has its store to itself knows who has slots as long as it runs; after that nobody has any.
  const slots = { ...options, gates: unattended === undefined ? gates : createMemoryGates() };
  const wake: Broker["wake"] = (runId, runtime) => broker.wake(runId, runtime);
  return {
    admission: createAdmission({ ...options, gates, runs }),
    concurrency: createConcurrency({ ...slots, queues, runs, unattended, wake }),
  };
}
