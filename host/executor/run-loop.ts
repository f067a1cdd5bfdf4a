import type { Outcome, StoredEvent } from "../broker/broker.ts";
import { createAttempts } from "./attempts.ts";
import type { HistoryEntry } from "../run/history.ts";
import { createInvocations } from "./invocations.ts";
import { createNudges } from "./nudges.ts";
import { createOffers } from "./offers.ts";
import { createPublication } from "./publication.ts";
import { updateOf } from "./plan.ts";
import { createRecord, type Standing } from "./record.ts";
import { decideRound } from "./round.ts";
import type { RunLoopPorts, TakenRun } from "./run-loop-ports.ts";
import { createRunSlots } from "./run-slots.ts";
import { applyEntry, foldHistory } from "../run/run-view.ts";
import type { Execution } from "../run/execution.ts";

/** A run that is held in memory because it can go on. */
export interface RunLoop {
  /** Something may have happened to the run: look at it again. False when this loop has already let go of it. */
  wake(): boolean;
  /** An event that the run may wait for. "gone": this loop has let go of the run. */
  offer(stored: StoredEvent): "taken" | "unwanted" | "gone";
  /** Looks into the store, and resolves to whether this host still holds the run. */
  confirm(): Promise<boolean>;
  /** Ends what is under way. */
  cutOff(): void;
  /** Resolves when all that was offered is decided on, and that is stored; otherwise to how the run was let go. */
  recorded(): Promise<Outcome>;
  /** Resolves when the run is no longer held: "done": it has finished or parked. "back": the host stops. */
  readonly released: Promise<Outcome>;
}

/** Advances one run for as long as it can go on: transition, append, execute, and round again. */
export function startRunLoop(ports: RunLoopPorts, { header, definition, ...taken }: TakenRun): RunLoop {
  const { clock } = ports;
  let { view } = taken;
  const nudges = createNudges(clock);
  const record = createRecord(ports, header, taken.revision);
  const offers = createOffers(definition, () => view, taken.offered);
  const attempts = createAttempts(ports, header, nudges.nudge);
  const publication = createPublication(ports, view);
  const slots = createRunSlots(ports, { header, definition, ...taken });
  const invocations = createInvocations(ports, definition, view);
  /** Something came while the run was being parked: nobody else may take it for free. */
  let parked = false;
  let outcome: Outcome | undefined;

  const own = { runId: header.id, definition, host: ports.host, timer: taken.timer };
  const onError = ports.notices.expressionError.bind(undefined, header.functionId);
  /** Set at once, not a tick later: a wake that comes in between must not be lost. */
  const letGo = (how: Outcome): void => {
    outcome = how;
    offers.close(how);
    nudges.answer(false);
    attempts.abandon();
  };
  const happened = (entries: readonly HistoryEntry[] | undefined): void =>
    entries === undefined ? letGo("back") : attempts.add(entries);
  /** Another has the run; or the history has grown by what others want of it: all that is not stored is decided anew. */
  const follow = (standing: Standing, unstored: readonly HistoryEntry[] = []): void => {
    if (typeof standing === "string") return letGo(standing);
    const folded = foldHistory(standing.history);
    view = { ...folded, event: folded.event ?? view.event };
    attempts.back(unstored, standing.history);
    offers.again();
  };

  /** One round: what has settled is recorded, and what is next is started. */
  const advance = async (): Promise<void> => {
    nudges.beginRound();
    const woken = nudges.asked;
    if (woken) {
      const standing = await record.check();
      if (standing !== undefined) follow(standing);
      if (outcome !== undefined) return undefined;
      nudges.answer(true);
    }
    const seq = view.seq;
    const entries = attempts.take();
    for (const entry of entries) applyEntry(view, entry);
    // What ends while the store is asked counts as under way until the next round.
    const underWay = new Set(attempts.underWay);
    const subject = { runId: header.id, definition, view, underWay, onError };
    const next = await decideRound(ports, { ...subject, offered: offers.take(), looking: offers.looking });
    if (next === undefined) return letGo("back");
    const turn = await slots.take(next, underWay.size > 0, { view, record });
    if (turn === undefined) return letGo("back");
    const { plan } = turn;
    const { idle, elsewhere, wakeAt } = plan;
    const all = [...entries, ...next.decided, ...turn.entries];
    if (all.length > 0 || idle || parked) {
      const standing = await record.append(seq, all, updateOf(view, plan, own));
      if (standing !== undefined) return follow(standing, entries);
      parked = idle;
      slots.stored(turn);
      if (idle && wakeAt !== undefined) ports.armed(wakeAt);
    }
    if (next.publish === true) {
      offers.again();
      return happened(await publication(view));
    }
    offers.decided();
    if (next.abandon === true) return attempts.abandon();
    if (view.finished !== undefined) return letGo(await invocations.farewell(view));
    happened(await invocations.attend(view, woken));
    if (outcome !== undefined || attempts.settled || nudges.nudged || offers.waiting) return undefined;
    if (idle) return letGo(elsewhere === undefined ? "done" : await handOver(elsewhere));
    if (!ports.draining()) for (const execution of plan.here) attempts.start(execution, view);
    if (attempts.underWay.size === 0 && ports.draining()) return letGo("back");
    await nudges.something(wakeAt);
    return undefined;
  };

  const handOver = async ({ step }: Execution): Promise<Outcome> => {
    slots.keep();
    const how = await record.handOver(step);
    // Woken meanwhile by the other host, which has handed it back, perhaps: then it must be looked at anew.
    return nudges.nudged ? "back" : how;
  };

  const run = async (): Promise<Outcome> => {
    while (outcome === undefined) await advance();
    // Before anybody hears that nothing is left to do: whoever has the run's event then does this once more.
    return outcome === "done" ? slots.leave({ view, record }) : outcome;
  };

  return {
    wake() {
      nudges.nudge();
      return outcome === undefined;
    },
    offer(stored) {
      if (outcome !== undefined) return "gone";
      if (!offers.add(stored)) return "unwanted";
      nudges.nudge();
      return "taken";
    },
    confirm: () => (outcome === undefined ? nudges.ask() : Promise.resolve(false)),
    cutOff: attempts.cutOff,
    recorded: offers.recorded,
    released: run(),
  };
}
