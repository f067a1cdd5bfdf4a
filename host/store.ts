import type { Completion } from "../runtime/http/completions.ts";
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
  /**
   * Has that host complete an attempt; false when it has none of that token, or is not there. Throws
   * ERR_COMPLETION_TOO_LARGE, and ERR_COMPLETION_UNRECORDED, also when it does not answer.
   */
  complete(host: string, token: string, completion: Completion): Promise<boolean>;
  /** Begins to answer other hosts' completions. */
  answerCompletions(complete: (token: string, completion: Completion) => Promise<boolean>): void;
  /** What happens on all hosts, this one's `live` included. */
  live(own: Live): Live;
  close(): Promise<void>;
}
