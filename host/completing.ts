import type { Completion } from "../runtime/http/completions.ts";
import type { Clock } from "./clock.ts";
import { claimsOf, completionId, type HeldCompletions } from "./completions.ts";
import { MillraceError } from "./errors.ts";
import type { HistoryEntry } from "./executor/history.ts";
import type { Live } from "./live.ts";
import type { Runs } from "./state/state.ts";
import type { Cluster } from "./store.ts";

/** Takes completions, and lets nobody believe in one that is not recorded. */
export interface Completing {
  /**
   * Resolves to true once the completion of that token is in its run's history, be it by now; to false where no attempt
   * waits for it. Throws ERR_COMPLETION_UNRECORDED, and where another host has the attempt ERR_COMPLETION_TOO_LARGE.
   */
  complete(token: string, completion: Completion): Promise<boolean>;
  /** The same of this host's attempts alone. */
  completeHere(token: string, completion: Completion): Promise<boolean>;
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
/** How often the store is asked meanwhile: what another host records is not heard of. */
const askAgainMs = 1_000;

export function createCompleting(options: CompletingOptions): Completing {
  const { host, completions, runs, cluster } = options;
  /** The same one again, while it is being recorded, waits for that too. */
  const recording = new Map<string, Promise<boolean>>();

  const completeHere: Completing["completeHere"] = async (token, completion) => {
    const run = claimsOf(token)?.run;
    if (run === undefined) return false;
    const id = completionId(token);
    const known = recording.get(id);
    if (known !== undefined) return known;
    // Listening begins first, so that nothing falls between the two.
    const recorded = listen(run, id, options);
    if (!completions.complete(token, completion)) {
      recorded.close();
      return isRecorded(await runs.load(run), id);
    }
    const written = recorded.wait().finally(() => recording.delete(id));
    recording.set(id, written);
    return written;
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
  };
}

/** Hears when a completion is recorded. */
function listen(
  runId: string,
  id: string,
  { runs, live, clock }: CompletingOptions,
): { wait(): Promise<boolean>; close(): void } {
  let heard = false;
  let tell: (() => void) | undefined;
  const close = live.subscribe((message) => {
    if (message.type !== "history" || message.runId !== runId || !isOf(message.entry, id)) return;
    heard = true;
    tell?.();
  });
  return {
    close,
    async wait() {
      const until = clock.now() + patienceMs;
      try {
        for (;;) {
          let cancel: (() => void) | undefined;
          await new Promise<void>((resolve) => {
            tell = resolve;
            if (heard) resolve();
            else cancel = clock.schedule(clock.now() + askAgainMs, resolve);
          });
          cancel?.();
          if (heard) return true;
          const run = await runs.load(runId);
          if (isRecorded(run, id)) return true;
          // It was cancelled meanwhile, or has taken too long.
          if (run?.finishedAt !== undefined) return false;
          if (clock.now() >= until) throw unrecorded();
        }
      } finally {
        close();
      }
    },
  };
}

function isRecorded(run: { readonly history: readonly HistoryEntry[] } | undefined, id: string): boolean {
  return run?.history.some((entry) => isOf(entry, id)) === true;
}

function isOf(entry: HistoryEntry, id: string): boolean {
  return (entry.type === "step.completed" || entry.type === "step.failed") && entry.completion === id;
}

/** Says that a completion may be lost yet. */
export function unrecorded(): MillraceError {
  return new MillraceError("ERR_COMPLETION_UNRECORDED", "The completion was taken and is not recorded yet.");
}
