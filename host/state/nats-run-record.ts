import type { StoredMsg } from "@nats-io/jetstream";
import type { HistoryEntry } from "../executor/history.ts";
import type { RunHeader, RunSummary, RunUpdate } from "./state.ts";

/** What one message of a run's subject holds. */
export interface RunChange {
  readonly run: RunHeader;
  /** Where the run stood from then on. */
  readonly update: RunUpdate;
  /** Tells this write from every other. */
  readonly writer: string;
  readonly entries: readonly HistoryEntry[];
  /** The sha256 of the artifact that holds the entries, when they were too large for a message. */
  readonly entriesAt?: string;
}

export function decodeChange(message: StoredMsg): RunChange {
  return message.json<RunChange>();
}

/** The run as it stood with this message. */
export function runSummary(message: StoredMsg): RunSummary {
  const { run, update } = decodeChange(message);
  return { ...run, ...update };
}
