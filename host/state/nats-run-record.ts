import type { ReadMessage } from "../nats/batch-reader.ts";
import type { HistoryEntry } from "../run/history.ts";
import type { RunHeader, RunSummary, RunUpdate } from "./state.ts";

/** What one message of a run's subject holds. */
export interface RunChange {
  readonly run: RunHeader;
  /** Where the run stood from then on. */
  readonly update: RunUpdate;
  /** Where the messages before stand, the latest last: all of them, or the latest. Absent: nobody knew. */
  readonly behind?: readonly number[];
  /** All entries of the messages before, where they are few: then this message is all that is read of the run. */
  readonly past?: readonly HistoryEntry[];
  /** Tells this write from every other. */
  readonly writer: string;
  readonly entries: readonly HistoryEntry[];
  /** The run into which the event goes that would have this one: there is no such run. */
  readonly into?: string;
  /** The sha256 of the artifact that holds the entries, when they were too large for a message. */
  readonly entriesAt?: string;
}

export function decodeChange(message: ReadMessage): RunChange {
  return message.json() as RunChange;
}

/** The run as it stood with this message. */
export function runSummary(message: ReadMessage): RunSummary {
  const { run, update } = decodeChange(message);
  return { ...run, ...update };
}
