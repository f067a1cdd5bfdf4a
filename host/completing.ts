import type { Completion } from "../runtime/http/completions.ts";
import type { Clock } from "./clock.ts";
import { claimsOf, completionId, type HeldCompletions } from "./completions.ts";
import { MillraceError } from "./errors.ts";
import type { HistoryEntry } from "./executor/history.ts";
import type { Live } from "./live.ts";
import type { Runs, StoredRun } from "./state/state.ts";
import type { Cluster } from "./store.ts";

/** Takes completions, and lets nobody believe in one that is not recorded. */
interface Completing {
  /**
   * Resolves to true once the completion of that token is in its run's history, be it by now; to false where no attempt
   * waits for it. Throws ERR_COMPLETION_UNRECORDED, and where another host has the attempt ERR_COMPLETION_TOO_LARGE.
   */
  complete(token: string, completion: Completion): Promise<boolean>;
  /** The same of this host's attempts alone. */
  completeHere(token: string, completion: Completion): Promise<boolean>;
  /** What is not recorded by now is not waited for. */
  close(): void;
}

interface CompletingOptions {
  readonly host: string;
  readonly completions: HeldCompletions;
  readonly runs: Pick<Runs, "load">;
  /** What happens on this host. */
  readonly live: Live;
  readonly clock: Clock;
  readonly cluster: Cluster | undefined;
}

/** How long a completion may take to be recorded before its receiver is told to ask again, in milliseconds. */
const patienceMs = 10_000;
/** How long the store is left alone between two looks at a run of which nothing is heard: at first, and at the most. */
const firstLookMs = 1_000;
const lastLookMs = 60_000;

export function createCompleting(options: CompletingOptions): Completing {
  const { host, completions, runs, cluster, clock } = options;
  /** What attempts were handed and is not recorded yet: the same one again waits for that too. */
  const recording = new Map<string, Recording>();

  const completeHere: Completing["completeHere"] = async (token, completion) => {
    const run = claimsOf(token)?.run;
    if (run === undefined) return false;
    const id = completionId(token);
    const known = recording.get(id);
    if (known !== undefined) return withPatience(known.recorded, clock);
    // Listening begins first, so that nothing falls between the two.
    const begun = followRecording(run, id, options);
    if (!completions.complete(token, completion)) {
      begun.close();
      return isRecorded(await runs.load(run), id);
    }
    recording.set(id, begun);
    const forget = (): void => void recording.delete(id);
    begun.recorded.then(forget, forget);
    return withPatience(begun.recorded, clock);
  };

  return {
    completeHere,
    async complete(token, completion) {
      const claims = claimsOf(token);
      if (claims === undefined || claims.host === host || cluster === undefined)
        return completeHere(token, completion);
      if (await cluster.complete(claims.host, token, completion)) return true;
      // Its host may be gone, or have begun anew.
      return isRecorded(await runs.load(claims.run), completionId(token));
    },
    close() {
      for (const { close } of recording.values()) close();
    },
  };
}

/** A completion on its way into its run's history. */
interface Recording {
  /** Resolves to whether it is there, once that is sure. Rejects when it is closed first. */
  readonly recorded: Promise<boolean>;
  close(): void;
}

function followRecording(
  runId: string,
  id: string,
  { host, runs, live, clock }: CompletingOptions,
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
      if (run.status === "running" && run.host !== undefined && run.host !== host) return settle(false);
    } catch {
      // The store does not answer now: nor is anything recorded.
    }
    if (!ended) lookIn(nextMs);
  };
  lookIn(firstLookMs);
  return {
    recorded,
    close() {
      end();
      reject(unrecorded());
    },
  };
}

/** Rejects when it takes too long; what is waited for goes on. */
async function withPatience(recorded: Promise<boolean>, clock: Clock): Promise<boolean> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const cancel = clock.schedule(clock.now() + patienceMs, () => reject(unrecorded()));
  try {
    return await Promise.race([recorded, late]);
  } finally {
    cancel();
  }
}

function isRecorded(run: Pick<StoredRun, "history"> | undefined, id: string): boolean {
  return run?.history.some((entry) => isOf(entry, id)) === true;
}

function isOf(entry: HistoryEntry, id: string): boolean {
  return "completion" in entry && entry.completion === id;
}

/** Says that a completion may be lost yet. */
export function unrecorded(): MillraceError {
  return new MillraceError("ERR_COMPLETION_UNRECORDED", "The completion was taken and is not recorded yet.");
}
