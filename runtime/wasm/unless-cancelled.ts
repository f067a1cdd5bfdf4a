import type { StepFailure } from "../driver.ts";
import { failure } from "../failure.ts";

/** What is waited for, or ERR_STEP_CANCELLED as soon as the signal aborts: then it goes on, and nobody waits. */
export async function unlessCancelled<T>(
  pending: Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T | StepFailure> {
  if (signal === undefined) return pending;
  const { promise, resolve } = Promise.withResolvers<StepFailure>();
  const cancel = (): void => resolve(failure("ERR_STEP_CANCELLED", "The attempt was cancelled."));
  if (signal.aborted) cancel();
  signal.addEventListener("abort", cancel, { once: true });
  try {
    return await Promise.race([promise, pending]);
  } finally {
    signal.removeEventListener("abort", cancel);
  }
}
