import type { StepFailure } from "../../runtime/driver.ts";
import type { Random } from "../clock.ts";
import type { RetryPolicy } from "../function/definition.ts";

/**
 * When the attempt after a failed one may start, in milliseconds since 1970-01-01T00:00:00Z; undefined when none may.
 * The step's own wish for a delay goes before the policy's backoff, which is exponential with jitter.
 */
export function retryAt(
  policy: RetryPolicy,
  failed: { readonly failure: StepFailure; readonly attempt: number; readonly at: number },
  random: Random,
): number | undefined {
  const { failure, attempt, at } = failed;
  if (!failure.retry || attempt > policy.retries) return undefined;
  if (failure.retryAfterMs !== undefined) return at + Math.max(0, Math.ceil(failure.retryAfterMs));
  const full = Math.min(policy.maxMs, policy.initialMs * policy.factor ** (attempt - 1));
  return at + Math.ceil(full * (1 - policy.jitter * random()));
}
