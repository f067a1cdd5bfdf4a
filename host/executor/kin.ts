import type { Broker } from "../broker/broker.ts";
import { MillraceError } from "../errors.ts";
import type { Event } from "../event/event.ts";
import type { Runs } from "../state/state.ts";
import { invokerOf } from "../run/invocation.ts";
import { foldHistory, type RunView } from "../run/run-view.ts";

/** What runs that invoke each other owe to each other. */
export interface Kin {
  /** A run is over: whoever waits for it is woken, and what it has invoked itself is cancelled. Durable when it resolves. */
  ended(view: RunView): Promise<void>;
  /** Whether a run was invoked, and nobody waits for it any more. */
  isOrphan(event: Event): Promise<boolean>;
  /** Cancels a run, if it is there and goes on. */
  cancel(runId: string, reason: string): Promise<void>;
}

interface KinOptions {
  readonly runs: Pick<Runs, "load">;
  readonly broker: Pick<Broker, "wake">;
  /** Throws ERR_RUN_UNKNOWN and ERR_RUN_STATE. */
  cancel(runId: string, reason: string): Promise<void>;
}

/** Why a run is cancelled that nobody waits for. */
export const orphanReason = "the run that invoked it waits no longer";

export function createKin({ runs, broker, cancel }: KinOptions): Kin {
  const cancelIfThere: Kin["cancel"] = async (runId, reason) => {
    try {
      await cancel(runId, reason);
    } catch (error) {
      const code = error instanceof MillraceError ? error.code : undefined;
      if (code !== "ERR_RUN_UNKNOWN" && code !== "ERR_RUN_STATE") throw error;
    }
  };

  return {
    cancel: cancelIfThere,
    async ended({ event, invoked }) {
      // One that has not begun finds out when it does.
      for (const { runId } of invoked.values()) await cancelIfThere(runId, orphanReason);
      const invoker = event && invokerOf(event);
      if (invoker !== undefined) await broker.wake(invoker.runId);
    },
    async isOrphan(event) {
      const invoker = invokerOf(event);
      if (invoker === undefined) return false;
      const run = await runs.load(invoker.runId);
      if (run === undefined || run.finishedAt !== undefined) return true;
      return foldHistory(run.history).invoked.get(invoker.step)?.attempt !== invoker.attempt;
    },
  };
}
