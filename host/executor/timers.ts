import type { Clock } from "../clock.ts";
import type { UnattendedRuns } from "../state/state.ts";

/** Wakes parked runs when their timers are due. */
export interface Timers {
  /** Tells of a timer that was just stored. */
  armed(wakeAt: number): void;
  close(): Promise<void>;
}

interface TimersOptions {
  readonly runs: Pick<UnattendedRuns, "claimDue" | "nextDue">;
  readonly clock: Clock;
  wake(runId: string): Promise<unknown>;
  onError(error: unknown): void;
}

/** Runs that are claimed in one write. */
const claimSize = 500;
/** The pause before a store that failed is asked again, in milliseconds. */
const retryDelay = 1_000;

/** Holds one timer of this process, for the earliest of the store; begins with what was stored before. */
export function startTimers({ runs, clock, wake, onError }: TimersOptions): Timers {
  let armedAt = Number.POSITIVE_INFINITY;
  let disarm: (() => void) | undefined;
  let firing: Promise<void> | undefined;
  let closed = false;

  const arm = (at: number): void => {
    if (closed || at >= armedAt) return;
    disarm?.();
    armedAt = at;
    disarm = clock.schedule(at, () => {
      armedAt = Number.POSITIVE_INFINITY;
      disarm = undefined;
      firing ??= fire().finally(() => (firing = undefined));
    });
  };

  const fire = async (): Promise<void> => {
    try {
      for (;;) {
        const due = closed ? [] : await runs.claimDue(clock.now(), claimSize);
        for (const runId of due) await wake(runId);
        if (due.length < claimSize) break;
      }
      const next = await runs.nextDue();
      if (next !== undefined) arm(next);
    } catch (error) {
      onError(error);
      arm(clock.now() + retryDelay);
    }
  };

  firing = fire().finally(() => (firing = undefined));
  return {
    armed: arm,
    async close() {
      closed = true;
      disarm?.();
      await firing;
    },
  };
}
