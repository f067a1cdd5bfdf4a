import type { Outcome } from "../broker/broker.ts";
import type { Clock } from "../clock.ts";
import type { ProgramStep } from "../function/definition.ts";
import type { Live } from "../live.ts";
import type { RunHeader, Runs, RunUpdate } from "../state/state.ts";
import type { HistoryEntry } from "../run/history.ts";
import { insistOn } from "./insist.ts";
import type { Notices } from "./notices.ts";
import type { Peers } from "./peers.ts";

/** What the records of all runs share. */
export interface RecordPorts {
  readonly runs: Pick<Runs, "append" | "load">;
  /** This host's id. */
  readonly host: string;
  readonly clock: Clock;
  readonly live: Live;
  readonly notices: Notices;
  /** The other hosts of the store; undefined where there can be none. */
  readonly peers?: Peers | undefined;
  /** Aborted when the host waits no longer: what is under way is cut off and not recorded. */
  readonly stopping: AbortSignal;
}

/** How the run must be let go: "lost" when another host has taken it, "done" when it is over, "back" when this one stops. */
export type Standing = Outcome | { readonly history: readonly HistoryEntry[] };

/** What a host writes down of a run that it holds. */
interface RunRecord {
  /** The last that is known. */
  readonly revision: number;
  /** It was found to have finished. */
  readonly over: boolean;
  /**
   * Appends entries, of which the first has the sequence after `seq`. Undefined when they are stored. A history when
   * they are not, because somebody has added to it what the holder is to do: then all of it.
   */
  append(seq: number, entries: readonly HistoryEntry[], update: RunUpdate): Promise<Standing | undefined>;
  /** Looks how the run stands in the store. Undefined when this host still holds it, and nothing was added. */
  check(): Promise<Standing | undefined>;
  /** Asks for a host with this step's driver, once the run is parked; how the run must be let go. */
  handOver(step: ProgramStep): Promise<Outcome>;
}

/** Writes behind `revision`, which is known to be the run's last. A store that refuses is asked until it takes the write. */
export function createRecord(ports: RecordPorts, header: RunHeader, revision: number): RunRecord {
  const { clock, live, notices, stopping, runs, peers } = ports;
  const insisting = { clock, stopping, onError: notices.storeError };
  let last = revision;
  let over = false;

  const check = async (): Promise<Standing | undefined> => {
    const loaded = await insistOn(() => runs.load(header.id), insisting);
    if (loaded === undefined) return "back";
    const run = loaded.value;
    if (run === undefined || run.finishedAt !== undefined) {
      over = true;
      return "done";
    }
    if (run.revision === last) return undefined;
    // Whoever takes a run writes its own name down: one who adds to it leaves it.
    if (peers !== undefined && (run.status !== "running" || run.host !== ports.host)) return "lost";
    last = run.revision;
    return { history: run.history };
  };

  return {
    get revision() {
      return last;
    },
    get over() {
      return over;
    },
    check,
    async append(seq, entries, update) {
      const appended = await insistOn(() => runs.append(header, last, entries, update), insisting);
      if (appended === undefined) return "back";
      if (appended.value === undefined) return (await check()) ?? "lost";
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
