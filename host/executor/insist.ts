import type { Clock } from "../clock.ts";

/** What a write resolved to. */
interface Written<T> {
  readonly value: T;
}

interface InsistOptions {
  readonly clock: Clock;
  /** Aborted when the host waits no longer. */
  readonly stopping: AbortSignal;
  onError(error: unknown): void;
}

/** The pause before a write that the store refused is tried again, in milliseconds. */
const retryDelayMs = 1_000;

/** Tries a write until the store takes it; undefined when the host stops before. */
export async function insistOn<T>(
  write: () => Promise<T>,
  { clock, stopping, onError }: InsistOptions,
): Promise<Written<T> | undefined> {
  for (;;) {
    try {
      return { value: await write() };
    } catch (error) {
      if (stopping.aborted) return undefined;
      onError(error);
      await pause(clock, retryDelayMs, stopping);
      if (stopping.aborted) return undefined;
    }
  }
}

async function pause(clock: Clock, delay: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const cancel = clock.schedule(clock.now() + delay, done);
    function done(): void {
      cancel();
      signal.removeEventListener("abort", done);
      resolve();
    }
    signal.addEventListener("abort", done);
  });
}
