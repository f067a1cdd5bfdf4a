import type { Completion } from "../runtime/http/completions.ts";
import type { Clock } from "./clock.ts";
import { type CompletionClaims, completionId, type HeldCompletions } from "./completions.ts";
import type { Live } from "./live.ts";
import { followRecording, isRecorded, type Recording, unrecorded, withPatience } from "./recording.ts";
import type { Runs, StoredRun } from "./state/state.ts";
import type { Cluster } from "./store.ts";

/** Takes completions, and lets nobody believe in one that is not recorded. */
interface Completing {
  /**
   * Resolves to true once the completion of that token is in its run's history, be it by now; to false where the attempt
   * is over without it. Throws ERR_COMPLETION_UNRECORDED, and where another host has the attempt ERR_COMPLETION_TOO_LARGE.
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

export function createCompleting(options: CompletingOptions): Completing {
  const { host, completions, runs, cluster, clock } = options;
  /** What attempts were handed and is not recorded yet: the same one again waits for that too. */
  const recording = new Map<string, Recording>();

  /** Undefined where no attempt of this host waits for it. */
  const handOver = async (
    token: string,
    { run }: CompletionClaims,
    completion: Completion,
  ): Promise<boolean | undefined> => {
    const id = completionId(token);
    const known = recording.get(id);
    if (known !== undefined) return withPatience(known.recorded, clock);
    // Listening begins first, so that nothing falls between the two.
    const begun = followRecording(run, id, options);
    if (!completions.complete(token, completion)) {
      begun.close();
      return undefined;
    }
    recording.set(id, begun);
    const forget = (): void => void recording.delete(id);
    begun.recorded.then(forget, forget);
    return withPatience(begun.recorded, clock);
  };

  /** Where another host may have the attempt, or will: runs that go on name it. */
  const elsewhere = async (
    token: string,
    claims: CompletionClaims,
    completion: Completion,
  ): Promise<boolean> => {
    const run = await runs.load(claims.run);
    if (run === undefined) return false;
    if (isRecorded(run, completionId(token))) return true;
    if (run.finishedAt !== undefined || hasEnded(run, claims)) return false;
    const holder = run.status === "running" ? run.host : undefined;
    if (holder !== undefined && holder !== host && (await cluster?.complete(holder, token, completion)))
      return true;
    // Its host has ended or begun anew, and the attempt is made again.
    throw unrecorded();
  };

  return {
    async complete(token, completion) {
      const claims = await completions.read(token);
      if (claims === undefined) return false;
      return (await handOver(token, claims, completion)) ?? elsewhere(token, claims, completion);
    },
    async completeHere(token, completion) {
      const claims = await completions.read(token);
      return claims !== undefined && (await handOver(token, claims, completion)) === true;
    },
    close() {
      for (const { close } of recording.values()) close();
    },
  };
}

/** Whether the attempt is over by something else than a completion. */
function hasEnded({ history }: StoredRun, { run, idempotencyKey, attempt }: CompletionClaims): boolean {
  return history.some((entry) => {
    if (!("attempt" in entry) || entry.attempt !== attempt) return false;
    const item = "item" in entry ? `:${entry.item}` : "";
    return `${run}:${entry.step}${item}` === idempotencyKey;
  });
}
