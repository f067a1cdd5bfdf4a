import { MillraceError } from "../errors.ts";
import type { Live } from "../live.ts";
import type { Runs, StoredRun } from "../state/state.ts";

const endings = new Set(["run.completed", "run.failed", "run.cancelled"]);

/** Resolves with a run once it has finished on this host, be it by now. Rejects when the signal aborts. */
export async function finished(
  runId: string,
  { runs, live, signal }: { runs: Pick<Runs, "load">; live: Live; signal?: AbortSignal | undefined },
): Promise<StoredRun> {
  const { promise: ended, resolve, reject } = Promise.withResolvers<void>();
  // Listening begins before the look into the store, so that an end between the two is not missed.
  const unsubscribe = live.subscribe((message) => {
    if (message.type === "history" && message.runId === runId && endings.has(message.entry.type)) resolve();
  });
  const onAbort = (): void => reject(signal?.reason as Error);
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    signal?.throwIfAborted();
    const run = await runs.load(runId);
    if (run?.finishedAt !== undefined) return run;
    await ended;
    const loaded = await runs.load(runId);
    if (loaded === undefined) throw new MillraceError("ERR_RUN_UNKNOWN", `There is no run ${runId}.`);
    return loaded;
  } finally {
    unsubscribe();
    signal?.removeEventListener("abort", onAbort);
  }
}
