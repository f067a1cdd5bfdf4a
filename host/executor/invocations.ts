import type { AttemptResult } from "../../runtime/driver.ts";
import type { Outcome } from "../broker/broker.ts";
import { stepsOf, type Definition } from "../function/definition.ts";
import { attemptEntry } from "../run/attempt-entry.ts";
import type { HistoryEntry } from "../run/history.ts";
import { insistOn } from "./insist.ts";
import { failedWith, invokerOf, nextLook, outcomeOf, type Invoked } from "../run/invocation.ts";
import { orphanReason } from "./kin.ts";
import type { RunLoopPorts } from "./run-loop-ports.ts";
import type { RunView } from "../run/run-view.ts";
import { SparseMap } from "../run/sparse-map.ts";

/** The runs that a run has invoked and waits for, as the host sees them that holds it. */
export interface Invocations {
  /**
   * Starts those that were not started, and looks at the others as it is time to, or at all when one of them may have
   * ended; resolves to what is to be recorded, undefined when the host stops.
   */
  attend(view: RunView, mayHaveEnded: boolean): Promise<readonly HistoryEntry[] | undefined>;
  /** The run is over: those who have to do with it hear of that, before its event counts as done with. */
  farewell(view: RunView): Promise<Outcome>;
}

type Ports = Pick<
  RunLoopPorts,
  "runs" | "events" | "outbox" | "kin" | "definitions" | "clock" | "random" | "stopping" | "notices"
>;

const none: readonly string[] = [];
const nothing: readonly HistoryEntry[] = [];

/** `before`: the run as it was when this host took it; what it had invoked by then may have been started. */
export function createInvocations(ports: Ports, definition: Definition, before: RunView): Invocations {
  const { runs, events, outbox, kin, definitions, clock, random, stopping, notices } = ports;
  const looked = new SparseMap<string, number>();
  const inherited = before.invoked.size === 0 ? none : [...before.invoked.values()].map(({ runId }) => runId);
  /** Whether a step is no part of what the run would do if all went well. */
  const isApart = (id: string): boolean =>
    definition.onFailure?.id === id ||
    [...(definition.compensations?.values() ?? [])].some((step) => step.id === id);

  /** Starts a run that is not there; what keeps it from being there for good. */
  const start = async (
    { functionId, runId, event }: Invoked,
    after: number,
  ): Promise<AttemptResult | undefined> => {
    if (!(await definitions.isActive(functionId))) {
      return failedWith("ERR_STEP_INVOKE_UNKNOWN", `There is no active function ${functionId}.`);
    }
    const isNew = !inherited.includes(runId) && !looked.has(runId);
    await outbox.publish([event], isNew ? undefined : after);
    if (isNew) return undefined;
    const stored = await outbox.find(event, after);
    if (stored === undefined || (await events.settled()) < stored.seq) return undefined;
    // Whoever took the event has acknowledged it, and so has stored the run before, if it has one.
    if ((await runs.load(runId)) !== undefined) return undefined;
    return failedWith(
      "ERR_STEP_INVOKE_UNKNOWN",
      `${functionId} was no active function when its run should have begun.`,
    );
  };

  const look = async (
    invoked: Invoked,
    view: RunView,
    abandons: boolean,
  ): Promise<AttemptResult | undefined> => {
    const { runId, until = Number.POSITIVE_INFINITY } = invoked;
    const child = await runs.load(runId);
    const isLate = until <= clock.now();
    const ended = isLate ? "ERR_STEP_INVOKE_TIMEOUT" : "ERR_STEP_INVOKED_CANCELLED";
    const ends = isLate || abandons;
    if (child === undefined) {
      if (!ends) return start(invoked, view.eventSeq ?? 0);
      return failedWith(ended, `Run ${runId} of ${invoked.functionId} had not begun.`);
    }
    const outcome = outcomeOf(invoked, child, ended);
    if (outcome !== undefined || !ends) return outcome;
    await kin.cancel(runId, isLate ? "it took longer than its invoker's timeout" : orphanReason);
    const over = await runs.load(runId);
    return over && outcomeOf(invoked, over, ended);
  };

  return {
    async farewell(view) {
      if (view.invoked.size === 0 && (view.event === undefined || invokerOf(view.event) === undefined))
        return "done";
      const tell = () => kin.ended(view);
      const told = await insistOn(tell, { clock, stopping, onError: notices.storeError });
      return told === undefined ? "back" : "done";
    },
    async attend(view, mayHaveEnded) {
      if (view.invoked.size === 0) return nothing;
      const entries: HistoryEntry[] = [];
      // A run that is cancelled, or has no time left, has none for what it has invoked either.
      const ends =
        view.cancelling !== undefined || (view.failed !== undefined && view.failed.step === undefined);
      for (const [id, invoked] of view.invoked) {
        const abandons = ends && !isApart(id);
        const last = looked.get(invoked.runId);
        const due = last === undefined || nextLook(invoked, last) <= clock.now();
        if (!due && !mayHaveEnded && !abandons) continue;
        const at = clock.now();
        const take = () => look(invoked, view, abandons);
        const found = await insistOn(take, { clock, stopping, onError: notices.storeError });
        if (found === undefined) return undefined;
        looked.set(invoked.runId, at);
        const step = stepsOf(definition).find((one) => one.id === id);
        if (found.value === undefined || step === undefined) continue;
        const { attempt, at: startedAt } = invoked;
        const earlier = view.earlierAttempts.get(id);
        const execution = { step, attempt, ...(earlier === undefined ? {} : { earlier }) };
        entries.push(attemptEntry(execution, found.value, { startedAt, at: clock.now() }, random));
      }
      return entries;
    },
  };
}
