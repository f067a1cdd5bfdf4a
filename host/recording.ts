import type { Clock } from "./clock.ts";
import { MillraceError } from "./errors.ts";
import type { HistoryEntry } from "./run/history.ts";
import type { Live } from "./live.ts";
import type { Runs, StoredRun } from "./state/state.ts";

/** How long a completion may take to be recorded before its receiver is told to ask again, in milliseconds. */
const patienceMs = 10_000;
/** How long the store is left alone between two looks at a run of which nothing is heard: at first, and at the most. */
const firstLookMs = 1_000;
const lastLookMs = 60_000;

/** Where it is seen what becomes of it. */
interface RecordingOptions {
  readonly host: string;
  readonly runs: Pick<Runs, "load">;
  /** What happens on this host. */
  readonly live: Live;
  readonly clock: Clock;
}

/** A completion on its way into its run's history. */
export interface Recording {
  /** Resolves to whether it is there, once that is sure. Rejects when it is closed first. */
  readonly recorded: Promise<boolean>;
  close(): void;
}

/** Follows a completion that an attempt of this host was handed. */
export function followRecording(
  runId: string,
  id: string,
  { host, runs, live, clock }: RecordingOptions,
): Recording {
  const { promise: recorded, resolve, reject } = Promise.withResolvers<boolean>();
  // It may be closed with nobody waiting.
  recorded.catch(() => undefined);
  let cancel: (() => void) | undefined;
  let ended = false;
  const end = (): void => {
    ended = true;
    unsubscribe();
    cancel?.();
  };
  const settle = (is: boolean): void => {
    end();
    resolve(is);
  };
  const close = (): void => {
    end();
    reject(unrecorded());
  };
  const unsubscribe = live.subscribe((message) => {
    if (message.type === "history" && message.runId === runId && isOf(message.entry, id)) settle(true);
  });
  // What another host records is not heard of, nor that the run was cancelled or taken.
  const lookIn = (ms: number): void => {
    cancel = clock.schedule(clock.now() + ms, () => void look(Math.min(2 * ms, lastLookMs)));
  };
  const look = async (nextMs: number): Promise<void> => {
    try {
      const run = await runs.load(runId);
      if (isRecorded(run, id)) return settle(true);
      if (run === undefined || run.finishedAt !== undefined) return settle(false);
      // Another host has taken the run, and makes the attempt again.
      if (run.status === "running" && run.host !== undefined && run.host !== host) return close();
    } catch {
      // The store does not answer now: nor is anything recorded.
    }
    if (!ended) lookIn(nextMs);
  };
  lookIn(firstLookMs);
  return { recorded, close };
}

/** Rejects when it takes too long; what is waited for goes on. */
export async function withPatience(recorded: Promise<boolean>, clock: Clock): Promise<boolean> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const cancel = clock.schedule(clock.now() + patienceMs, () => reject(unrecorded()));
  try {
    return await Promise.race([recorded, late]);
  } finally {
    cancel();
  }
}

/** Whether a run's history has a completion. */
export function isRecorded(run: Pick<StoredRun, "history"> | undefined, id: string): boolean {
  return run?.history.some((entry) => isOf(entry, id)) === true;
}

function isOf(entry: HistoryEntry, id: string): boolean {
  return "completion" in entry && entry.completion === id;
}

/** Says that a completion has to come again. */
export function unrecorded(): MillraceError {
  return new MillraceError("ERR_COMPLETION_UNRECORDED", "The completion could not be recorded yet.");
}
