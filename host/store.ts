import type { Broker, StoredEvent } from "./broker/broker.ts";
import type { Nudged, Peers } from "./executor/peers.ts";
import type { Live } from "./live.ts";
import type { State } from "./state/state.ts";

/** A broker and a state that belong together, and what the hosts on them say to each other. */
export interface Store {
  readonly broker: Broker;
  readonly state: State;
  /** Undefined where there can be one host only. */
  readonly cluster?: Cluster;
}

/** The hosts of a shared store. */
export interface Cluster extends Omit<Peers, "handOver"> {
  /** Begins to answer other hosts; `nudge` says whether this one holds a run. */
  answer(nudge: (runId: string, offered?: StoredEvent) => Nudged): void;
  /** What happens on all hosts, this one's `live` included. */
  live(own: Live): Live;
  close(): Promise<void>;
}
