import type { Clock } from "../clock.ts";
import type { Live } from "../live.ts";
import type { Runs, StoredRun } from "../state/state.ts";

const endings = new Set(["run.completed", "run.failed", "run.cancelled"]);

/** How often the store is asked where the end of a run may have been told by a host that is out of reach, in milliseconds. */
const askAgainMs = 2_000;

interface FinishedOptions {
  readonly runs: Pick<Runs, "load">;
  readonly live: Live;
  readonly signal?: AbortSignal | undefined;
  /** For a shared store. */
  readonly clock?: Clock | undefined;
}

/** Resolves with a run once it has finished, be it by now. With a clock the store is also asked now and then. Rejects when the signal aborts. */
export async function finished(
  runId: string,
  { runs, live, signal, clock }: FinishedOptions,
): Promise<StoredRun> {
  let told = false;
  let tell: (() => void) | undefined;
  const look = (): void => {
    told = true;
    tell?.();
  };
  // Listening begins before the look into the store, so that an end between the two is not missed.
  const unsubscribe = live.subscribe((message) => {
    if (message.type === "history" && message.runId === runId && endings.has(message.entry.type)) look();
  });
  signal?.addEventListener("abort", look, { once: true });
  try {
    for (;;) {
      signal?.throwIfAborted();
      told = false;
      const run = await runs.load(runId);
      if (run?.finishedAt !== undefined) return run;
      const cancel = clock?.schedule(clock.now() + askAgainMs, look);
      if (!told) await new Promise<void>((resolve) => (tell = resolve));
      cancel?.();
    }
  } finally {
    unsubscribe();
    signal?.removeEventListener("abort", look);
  }
}
