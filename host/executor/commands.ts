import { MillraceError } from "../errors.ts";
import type { Broker } from "../broker/broker.ts";
import type { Clock } from "../clock.ts";
import type { Event } from "../event/event.ts";
import type { Definition } from "../function/definition.ts";
import type { Live } from "../live.ts";
import type { Runs, RunUpdate, StoredRun } from "../state/state.ts";
import { answerEntry, type LinkAnswer, linkWait } from "../run/answer.ts";
import type { Definitions } from "./definitions.ts";
import { headerOfRun } from "../run/header.ts";
import type { HistoryEntry } from "../run/history.ts";
import type { Kin } from "./kin.ts";
import { leavings } from "../run/leavings.ts";
import type { Outbox } from "./outbox.ts";
import type { Nudged, Peers } from "./peers.ts";
import { publishEmitted } from "./publication.ts";
import { createRerun } from "./rerun.ts";
import { retriedEntry } from "../run/retried.ts";
import { applyEntry, foldHistory, type RunView } from "../run/run-view.ts";
import { isWaitingToBegin } from "../run/turn.ts";

/** What can be asked of a run from outside. Each is durable when it resolves. Throws ERR_RUN_UNKNOWN, ERR_RUN_STATE. */
export interface Commands {
  /**
   * The run ends now: what is under way is ended, and does not count. One whose function has compensations ends once what
   * is under way has, and what its steps did is undone.
   */
  cancel(runId: string, reason?: string): Promise<void>;
  /** Ends a wait that has a link, be it before it begins. Throws ERR_LINK_… */
  answer(runId: string, wait: string, answer: LinkAnswer): Promise<void>;
  /** What is under way may end, and waits go on; no step starts until it is resumed. */
  pause(runId: string, reason?: string): Promise<void>;
  resume(runId: string): Promise<void>;
  /**
   * A run that failed or was cancelled goes on with the steps that did not complete; with `from`, any that is over, with
   * that step and all behind it. On the version on which it began. Throws ERR_RUN_STEP.
   */
  retry(runId: string, from?: string): Promise<void>;
  /**
   * A new run of the same function, on its active version, for another event: resolves to its id. No other function gets
   * the event. Throws ERR_FUNCTION_UNKNOWN.
   */
  rerun(runId: string, event: Event): Promise<string>;
}

interface CommandsOptions {
  readonly runs: Pick<Runs, "load" | "append" | "create">;
  readonly definitions: Pick<Definitions, "get" | "active">;
  readonly broker: Pick<Broker, "wake" | "readEvents">;
  readonly outbox: Outbox;
  readonly kin: Kin;
  readonly clock: Clock;
  readonly live: Live;
  readonly host: string;
  readonly peers: Peers | undefined;
  /** Has a run that this host holds look into the store. */
  nudge(runId: string): Nudged;
}

/** What a command comes to, given how the run stands; undefined: nothing is to be done. */
type Decide = (
  run: StoredRun,
  view: RunView,
  at: number,
) => Promise<HistoryEntry | undefined> | HistoryEntry | undefined;

/**
 * Adds to the histories of runs, whoever advances them: that one finds at its next append, or as it is told, that the
 * history has grown, and decides anew.
 */
export function createCommands(options: CommandsOptions): Commands {
  const { runs, definitions, broker, outbox, kin, clock, live, host, peers, nudge } = options;

  const rerun = createRerun(options);

  const add = async (runId: string, decide: Decide): Promise<void> => {
    for (;;) {
      const run = await runs.load(runId);
      if (run === undefined) throw unknownRun(runId);
      const { history, revision, status, host: holder } = run;
      const header = headerOfRun(run);
      const view = foldHistory(history);
      const at = clock.now();
      const entry = await decide(run, view, at);
      if (entry === undefined) return;
      // What was emitted counts, and nobody comes back to a run that is over.
      const ends = entry.type === "run.cancelled";
      const entries = [...(ends ? await publishEmitted(outbox, view, { clock, again: true }) : []), entry];
      for (const one of entries) applyEntry(view, one);
      const update = updateOf(run, view, at);
      if ((await runs.append(header, revision, entries, update)) === undefined) continue;
      if (live.observed) {
        const { functionId } = header;
        for (const [index, one] of entries.entries())
          live.publish({
            type: "history",
            at,
            runId,
            functionId,
            entry: one,
            seq: history.length + index + 1,
          });
      }
      // Told at once where that is possible; the wake finds whoever has the run by then.
      if (holder === host || peers === undefined) nudge(runId);
      else if (holder !== undefined && status === "running") await peers?.holds(holder, runId);
      // One that is over may have slots, or wait for some.
      if (view.finished === undefined || (await hasLimits(run))) await broker.wake(runId);
      if (view.finished !== undefined) await kin.ended(view);
      return;
    }
  };

  const hasLimits = async ({ functionId, functionVersion }: StoredRun): Promise<boolean> =>
    (await definitions.get(functionId, functionVersion))?.flowControl?.concurrency !== undefined;

  return {
    cancel: (runId, reason) =>
      add(runId, async ({ finishedAt, status, functionId, functionVersion }, view, at) => {
        if (status === "cancelled" || view.cancelling !== undefined) return undefined;
        if (finishedAt !== undefined) throw over(runId, status, "be cancelled");
        const definition = await definitions.get(functionId, functionVersion);
        const why = reason === undefined ? {} : { reason };
        return { type: undoes(definition, view) ? "run.cancelling" : "run.cancelled", at, ...why };
      }),
    answer: (runId, wait, given) =>
      add(runId, async (run, view, at) =>
        answerEntry(linkWait(await definitionOf(run), wait), view, { ...given, runId, at }),
      ),
    pause: (runId, reason) =>
      add(runId, ({ finishedAt, status }, { paused }, at) => {
        if (finishedAt !== undefined) throw over(runId, status, "be paused");
        if (paused === true) return undefined;
        return { type: "run.paused", at, ...(reason === undefined ? {} : { reason }) };
      }),
    resume: (runId) =>
      add(runId, ({ finishedAt, status }, { paused }, at) => {
        if (finishedAt !== undefined) throw over(runId, status, "go on");
        return paused === true ? { type: "run.resumed", at } : undefined;
      }),
    retry: (runId, from) =>
      add(runId, async (run, view, at) => {
        const { finishedAt, status } = run;
        if (finishedAt === undefined || (status === "completed" && from === undefined)) {
          const is =
            finishedAt === undefined
              ? "is not over"
              : "has completed: name the step that it shall go on from";
          throw new MillraceError("ERR_RUN_STATE", `Run ${runId} ${is}.`);
        }
        return retriedEntry(await definitionOf(run), view, { at, from });
      }),
    async rerun(runId, event) {
      const run = await runs.load(runId);
      if (run === undefined) throw unknownRun(runId);
      return rerun(run, event);
    },
  };

  async function definitionOf({ functionId, functionVersion }: StoredRun): Promise<Definition> {
    const definition = await definitions.get(functionId, functionVersion);
    if (definition !== undefined) return definition;
    const message = `Version ${functionVersion} of ${functionId} is not in the store.`;
    throw new MillraceError("ERR_VERSION_MISSING", message);
  }
}

/** Whether something of the run may have to be undone: it has begun, and what is under way is not in its history. */
function undoes(definition: Definition | undefined, view: RunView): boolean {
  const hasBegun = view.collecting === undefined && !isWaitingToBegin(view);
  return definition?.compensations !== undefined && hasBegun;
}

/** Who holds the run, and its timer, stay as they are, unless it is over, or begins once more. */
function updateOf(run: StoredRun, view: RunView, now: number): RunUpdate {
  const { status, wakeAt, waitsFor, host } = run;
  if (view.finished !== undefined) {
    return { status: view.finished, finishedAt: now, ...leavings(run.id, view, { timer: wakeAt, now }) };
  }
  // Its timer wakes it even if nothing else does any more.
  if (run.finishedAt !== undefined) return { status: "parked", wakeAt: now };
  // So does one that is to undo what it did, whoever was to be told and was not.
  if (status === "parked" && view.cancelling !== undefined) return { status, wakeAt: now };
  if (status === "parked" && view.paused === true) {
    return { status: "paused", ...(wakeAt === undefined ? {} : { wakeAt }) };
  }
  if (status === "paused" && view.paused !== true) return { status: "parked", wakeAt: now };
  return {
    status,
    ...(wakeAt === undefined ? {} : { wakeAt }),
    ...(waitsFor === undefined ? {} : { waitsFor }),
    ...(host === undefined ? {} : { host }),
  };
}

function unknownRun(runId: string): MillraceError {
  return new MillraceError("ERR_RUN_UNKNOWN", `There is no run ${JSON.stringify(runId)}.`);
}

function over(runId: string, status: string, what: string): MillraceError {
  return new MillraceError("ERR_RUN_STATE", `Run ${runId} has ${status}, and can't ${what}.`);
}
