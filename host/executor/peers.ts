import type { RuntimeName } from "../../runtime/driver.ts";
import type { StoredEvent } from "../broker/broker.ts";

/** What a host says of a run that it may hold: that it does, and looks at it; or that it need not. */
export type Nudged = "held" | "unwanted" | "absent";

/** The other hosts of a shared store. */
export interface Peers {
  /**
   * Asks that host whether it holds this run: if so it looks at it again, or takes what it is offered. "absent" also when
   * it does not answer.
   */
  holds(host: string, runId: string, offered?: StoredEvent): Promise<Nudged>;
  /** Has a host with that runtime's driver take the run. Durable when it resolves. */
  handOver(runId: string, runtime: RuntimeName): Promise<void>;
}
