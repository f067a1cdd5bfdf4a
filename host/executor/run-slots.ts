import type { Outcome } from "../broker/broker.ts";
import type { HistoryEntry } from "../run/history.ts";
import { insistOn } from "./insist.ts";
import { planRound, type Plan } from "./plan.ts";
import type { RunLoopPorts, TakenRun } from "./run-loop-ports.ts";
import { applyEntry } from "../run/run-view.ts";
import type { Transition } from "../run/transition.ts";
import { latestBeginning } from "../run/turn.ts";

/** What this host does with what is next for a run, given its slots. */
interface Turn {
  readonly plan: Plan;
  /** What the run's history says of the slots; folded into the view already. */
  readonly entries: readonly HistoryEntry[];
}

/** A run that this host holds, as it is known here. */
interface HeldRun {
  readonly view: TakenRun["view"];
  readonly record: { readonly revision: number; readonly over: boolean };
}

/** The slots of one run, by all limits that its function has. */
interface RunSlots {
  /**
   * Plans what is next, and asks for what that needs unless the run has it. `busy`: attempts are under way. Undefined
   * when the host stops before the store has answered.
   */
  take(next: Transition, busy: boolean, run: HeldRun): Promise<Turn | undefined>;
  /** What was said of the turn is stored. */
  stored(turn: Turn): void;
  /** The run goes to another host, and its slots with it. */
  keep(): void;
  /** Gives them back, unless the run waits for more of them and is not over. "back" when the host stops before. */
  leave(run: HeldRun): Promise<Outcome>;
}

export function createRunSlots(
  ports: RunLoopPorts,
  { header, definition, origin }: Pick<TakenRun, "header" | "definition" | "origin">,
): RunSlots {
  const { concurrency, clock, stopping, notices, draining } = ports;
  if (definition.flowControl?.concurrency === undefined) {
    return {
      take: async (next, busy) => ({ plan: planRound(ports, next, busy), entries: [] }),
      stored: () => undefined,
      keep: () => undefined,
      leave: async () => "done",
    };
  }
  const insisting = { clock, stopping, onError: notices.storeError };
  let has = false;
  let waits = false;
  let kept = false;
  let mayHave = origin !== "new";
  let had = origin === "orphan";
  /** Where it waited until it got its slots. */
  let left: { readonly queue?: string; readonly place?: number } | undefined;

  const user = ({ view: { event, queued }, record: { revision } }: HeldRun) => {
    return { runId: header.id, definition, event, revision, queued, had };
  };

  /** What the history has to say; undefined when the host stops. */
  const ask = async (run: HeldRun): Promise<readonly HistoryEntry[] | undefined> => {
    const { queued } = run.view;
    if (!has) {
      mayHave = true;
      const answer = await insistOn(() => concurrency.acquire(user(run)), insisting);
      if (answer === undefined) return undefined;
      had = false;
      ({ has } = answer.value);
      waits = !has;
      if (!answer.value.has) {
        const { reason, queue, place } = answer.value;
        if (queued?.queue === queue && queued.place === place) return [];
        return [{ type: "run.queued", at: clock.now(), reason, queue, place }];
      }
    }
    if (queued === undefined) return [];
    left = queued;
    return [{ type: "run.admitted", at: clock.now() }];
  };

  return {
    async take(next, busy, run) {
      const plan = planRound(ports, next, busy);
      if (plan.here.length === 0 || draining()) return { plan, entries: [] };
      const entries = await ask(run);
      if (entries === undefined) return undefined;
      for (const entry of entries) applyEntry(run.view, entry);
      if (has) return { plan, entries };
      const { wakeAt: at, ...rest } = next;
      const tooLate = latestBeginning(definition, run.view);
      const wakeAt = Math.min(at ?? tooLate, tooLate);
      // Nor is it handed to another host.
      const waiting = { ...rest, execute: [], ...(wakeAt === Number.POSITIVE_INFINITY ? {} : { wakeAt }) };
      return { plan: planRound(ports, waiting, busy), entries };
    },
    stored({ plan }) {
      // Whoever looks at a parked run gives back what it has; one that goes on after all asks anew.
      if (plan.idle) has = false;
      const { queue, place } = left ?? {};
      if (plan.here.length === 0 || queue === undefined || place === undefined) return;
      concurrency.leaveQueue(queue, place);
      left = undefined;
    },
    keep: () => void (kept = true),
    async leave(run) {
      const over = run.record.over || run.view.finished !== undefined;
      if (!mayHave || (!over && (waits || kept))) return "done";
      has = false;
      const given = await insistOn(() => concurrency.release(user(run), over), insisting);
      return given === undefined ? "back" : "done";
    },
  };
}
