import type { RuntimeName } from "../../runtime/driver.ts";

/** The other hosts of a shared store. */
export interface Peers {
  /** Whether that host holds this run; if so it looks at it again. False when it does not answer. */
  holds(host: string, runId: string): Promise<boolean>;
  /** Has a host with that runtime's driver take the run. Durable when it resolves. */
  handOver(runId: string, runtime: RuntimeName): Promise<void>;
}
