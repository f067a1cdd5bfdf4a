import type { Outcome } from "../broker/broker.ts";
import type { Clock } from "../clock.ts";
import type { StepDefinition } from "../function/definition.ts";
import type { Live } from "../live.ts";
import type { RunHeader, Runs, RunUpdate } from "../state/state.ts";
import type { HistoryEntry } from "./history.ts";
import { insistOn } from "./insist.ts";
import type { Notices } from "./notices.ts";
import type { Peers } from "./peers.ts";

/** What the records of all runs share. */
export interface RecordPorts {
  readonly runs: Pick<Runs, "append">;
  readonly clock: Clock;
  readonly live: Live;
  readonly notices: Notices;
  /** The other hosts of the store; undefined where there can be none. */
  readonly peers?: Peers | undefined;
  /** Aborted when the host waits no longer: what is under way is cut off and not recorded. */
  readonly stopping: AbortSignal;
}

/** What a host writes down of a run that it holds. */
interface RunRecord {
  /**
   * Appends entries, of which the first has the sequence after `seq`. Undefined when they are stored; otherwise how the
   * run must be let go: "lost" when another host has taken it, "back" when this one stops.
   */
  append(seq: number, entries: readonly HistoryEntry[], update: RunUpdate): Promise<Outcome | undefined>;
  /** Asks for a host with this step's driver, once the run is parked; how the run must be let go. */
  handOver(step: StepDefinition): Promise<Outcome>;
}

/** Writes behind `revision`, which is known to be the run's last. A store that refuses is asked until it takes the write. */
export function createRecord(ports: RecordPorts, header: RunHeader, revision: number): RunRecord {
  const { clock, live, notices, stopping, runs, peers } = ports;
  const insisting = { clock, stopping, onError: notices.storeError };
  let last = revision;

  return {
    async append(seq, entries, update) {
      const appended = await insistOn(() => runs.append(header, last, entries, update), insisting);
      if (appended === undefined) return "back";
      if (appended.value === undefined) return "lost";
      last = appended.value;
      if (!live.observed) return undefined;
      const { id: runId, functionId } = header;
      entries.forEach((entry, index) =>
        live.publish({ type: "history", at: entry.at, runId, functionId, entry, seq: seq + index + 1 }),
      );
      return undefined;
    },
    async handOver({ program }) {
      const asked = await insistOn(async () => peers?.handOver(header.id, program.runtime.type), insisting);
      return asked === undefined ? "back" : "done";
    },
  };
}
