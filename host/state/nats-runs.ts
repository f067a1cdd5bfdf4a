import type { ReadMessage } from "../nats/batch-reader.ts";
import type { HistoryEntry } from "../run/history.ts";
import { functionDigestOf } from "../run/run-id.ts";
import { compareAndSet } from "../nats/compare-and-set.ts";
import { refusedWith, storeError } from "../nats/publisher.ts";
import { readLastOf } from "../nats/read.ts";
import type { NatsSession } from "../nats/session.ts";
import { createNatsAssignments } from "./nats-assignments.ts";
import { queryNatsRuns } from "./nats-run-query.ts";
import { createTrails } from "./nats-run-trails.ts";
import { decodeChange, runSummary, type RunChange } from "./nats-run-record.ts";
import { createNatsTimers } from "./nats-timers.ts";
import type { Artifacts, RunHeader, Runs, RunUpdate, Waits } from "./state.ts";

/** What names a run by its id in the wrong form can't be the subject of. */
const idForm = /^[\da-f]{32}$/;

/** Headers and subject of a message, at most; the rest of the server's largest message is for its payload, in bytes. */
const envelopeBytes = 4_096;
/** How often an append is tried of which no answer came, before it is the caller's to try again. */
const triesUnanswered = 2;

/**
 * A subject a run, a message an append; a message's sequence is the run's revision. Each message carries the header
 * and where the run then stood, so that the last one alone tells its summary.
 */
export function createNatsRuns(
  session: NatsSession,
  artifacts: Artifacts,
  waits: Pick<Waits, "disarm">,
): Runs {
  const { names, clock } = session;
  const { stream } = names.runs;
  const timers = createNatsTimers(session);
  const trails = createTrails(session);
  let writes = 0;
  /** Appends of which no answer came, by run: one that the caller tries again must know its own earlier message. */
  const unanswered = new Map<string, { readonly update: RunUpdate; readonly writer: string }>();

  const subjectOf = (run: RunHeader): string => names.run(functionDigestOf(run.id), run.id);

  /** Undefined when the subject's last message is not the expected one, and is not of this very write. */
  const write = async (
    run: RunHeader,
    revision: number,
    entries: readonly HistoryEntry[],
    update: RunUpdate,
  ): Promise<number | undefined> => {
    const subject = subjectOf(run);
    const earlier = unanswered.get(run.id);
    const again = earlier?.update === update;
    const writer = again
      ? earlier.writer
      : `${session.host}.${(writes++).toString(36)}.${clock.now().toString(36)}`;
    const { disarm, clears, keepsTimer, ...kept } = update;
    const behind = trails.behind(run.id, revision);
    const goesOn = update.status === "running";
    // One that is over may be large, and is read by people alone.
    const past = goesOn || update.finishedAt !== undefined ? undefined : trails.past(run.id, revision);
    const payload = await encode({ run, update: kept, writer, behind, ...(past && { past }), entries });
    try {
      // A timer that fires for nothing is harmless; one that was never armed is not. So it goes first.
      if (update.wakeAt !== undefined && keepsTimer !== true) await timers.arm(run.id, update.wakeAt);
      const next = await publishOnce(subject, revision, payload, { writer, again });
      if (next !== undefined && revision === 0) await timers.stored(run.id, update.wakeAt);
      unanswered.delete(run.id);
      if (next !== undefined)
        trails.wrote(run.id, revision, { seq: next, entries, bytes: payload.length, goesOn });
      // Not waited for: what is left over wakes a run for nothing, and goes in time.
      if (next !== undefined && disarm !== undefined) void waits.disarm(disarm).catch(() => undefined);
      if (next !== undefined && clears !== undefined) timers.clear(run.id, clears);
      return next;
    } catch (error) {
      if (revision > 0) unanswered.set(run.id, { update, writer });
      throw storeError(error);
    }
  };

  const publishOnce = async (
    subject: string,
    revision: number,
    payload: string,
    { writer, again }: { readonly writer: string; readonly again: boolean },
  ): Promise<number | undefined> => {
    for (let tries = 1; ; tries += 1) {
      try {
        const stored = await compareAndSet(session, { stream, subject, over: revision, payload });
        if (stored !== undefined || (tries === 1 && !again)) return stored;
        // An earlier try may have been stored although no answer came.
        const last = await readLastOf(session, stream, subject);
        return last !== undefined && decodeChange(last).writer === writer ? last.seq : undefined;
      } catch (error) {
        if (refusedWith(error, "full") || tries === triesUnanswered) throw error;
      }
    }
  };

  /** Entries that are too large for one message of this server go to the artifacts. */
  const encode = async (change: RunChange): Promise<string> => {
    const payload = JSON.stringify(change);
    const most = (session.connection.info?.max_payload ?? Number.POSITIVE_INFINITY) - envelopeBytes;
    if (payload.length * 3 < most || Buffer.byteLength(payload) < most) return payload;
    const { entries, ...rest } = change;
    const entriesAt = await artifacts.put(new TextEncoder().encode(JSON.stringify(entries)));
    return JSON.stringify({ ...rest, entries: [], entriesAt });
  };

  const entriesOf = async (message: ReadMessage): Promise<readonly HistoryEntry[]> => {
    const { entries, entriesAt } = decodeChange(message);
    if (entriesAt === undefined) return entries;
    const bytes = await artifacts.get(entriesAt);
    if (bytes === undefined)
      throw new Error(`the entries of ${message.subject} at ${message.seq} are missing`);
    return JSON.parse(new TextDecoder().decode(bytes)) as readonly HistoryEntry[];
  };

  return {
    create: (run, entries, update) => write(run, 0, entries, update),
    append: write,
    async load(runId) {
      if (!idForm.test(runId)) return undefined;
      const messages = await trails.read(names.run(functionDigestOf(runId), runId));
      const last = messages.at(-1);
      if (last === undefined || decodeChange(last).into !== undefined) return undefined;
      const { past = [] } = decodeChange(messages[0] ?? last);
      const history = [...past, ...(await Promise.all(messages.map(entriesOf))).flat()];
      const summary = runSummary(last);
      if (summary.finishedAt === undefined) trails.told(runId, messages, history);
      return { ...summary, revision: last.seq, history };
    },
    ...createNatsAssignments(session),
    query: (filter) => queryNatsRuns(session, filter),
  };
}
