import type { StoredEvent } from "../broker/broker.ts";
import type { Clock } from "../clock.ts";
import type { Admission } from "../flow-control/admission.ts";
import type { Admitted } from "../flow-control/applicant.ts";
import type { Definition } from "../function/definition.ts";
import type { Live } from "../live.ts";
import type { Runs, RunUpdate } from "../state/state.ts";
import type { HistoryEntry } from "../run/history.ts";
import { invokerOf } from "../run/invocation.ts";
import { headerOf } from "../run/header.ts";
import { orphanReason, type Kin } from "./kin.ts";
import type { TakenRun } from "./run-loop-ports.ts";
import { applyEntry, emptyView } from "../run/run-view.ts";
import { lateEntry } from "../run/turn.ts";
import { turn } from "../run/waits-for.ts";

/** What became of the run of an event. "known": it was stored before. "put off": it needs no host now. */
type NewRun = TakenRun | "known" | "put off";

interface NewRunOptions {
  readonly runs: Pick<Runs, "create">;
  readonly admission: Admission;
  readonly kin: Kin;
  /** This host's id. */
  readonly host: string;
  readonly clock: Clock;
  readonly live: Live;
  /** A run that may begin within this time is not parked until then, in milliseconds. */
  readonly holdMs: number;
  /** Hears of every timer that was stored. */
  armed(wakeAt: number): void;
}

/** Stores the run of a function for an event, as its document admits it: to be advanced, to begin later, or over. */
export async function newRun(
  definition: Definition,
  stored: StoredEvent,
  { runs, admission, kin, host, clock, live, holdMs, armed }: NewRunOptions,
): Promise<NewRun> {
  const { event, seq, storedAt } = stored;
  const header = headerOf(definition, event, clock.now());
  const { id, functionId, createdAt: at } = header;
  const isInvoked = invokerOf(event) !== undefined;
  const alone = definition.collects?.by === "batch" ? { events: [event] } : {};
  const started: HistoryEntry = { type: "run.started", at, event, eventSeq: seq, ...alone };
  const ended = lateEntry(definition, storedAt, at) ?? (isInvoked ? await orphanEntry() : undefined);
  const asks = ended === undefined && definition.flowControl !== undefined;
  const admitted = asks ? await admission.admit({ definition, stored, run: id }) : undefined;
  const next = ended ?? entryOf(admitted);
  const entries = next === undefined ? [started] : [started, next];
  const update = updateOf(next);
  const revision = await runs.create(header, entries, update);
  if (revision === undefined) return "known";
  if (admitted?.kind === "refused") await admitted.undo?.();
  if (live.observed) {
    entries.forEach((entry, index) =>
      live.publish({ type: "history", at, runId: id, functionId, entry, seq: index + 1 }),
    );
  }
  if (update.wakeAt !== undefined) armed(update.wakeAt);
  const view = emptyView();
  for (const entry of entries) applyEntry(view, entry);
  if (update.finishedAt !== undefined) await kin.ended(view);
  if (update.status !== "running") return "put off";
  return { header, revision, definition, view: Object.assign(view, { event }), origin: "new" };

  async function orphanEntry(): Promise<HistoryEntry | undefined> {
    return (await kin.isOrphan(event)) ? { type: "run.cancelled", at, reason: orphanReason } : undefined;
  }

  function entryOf(answer: Admitted | undefined): HistoryEntry | undefined {
    if (answer === undefined || answer.kind === "now") return undefined;
    const { kind, reason } = answer;
    return kind === "refused"
      ? { type: "run.cancelled", at, reason }
      : { type: "run.queued", at, reason, until: answer.until };
  }

  function updateOf(entry: HistoryEntry | undefined): RunUpdate {
    if (entry?.type === "run.cancelled") return { status: "cancelled", finishedAt: entry.at };
    if (entry?.type !== "run.queued") return { status: "running", host };
    const { until } = entry;
    if (until === undefined || until - clock.now() <= holdMs) return { status: "running", host };
    const { startTimeoutMs = Number.POSITIVE_INFINITY } = definition;
    const wakeAt = Math.min(until, at + startTimeoutMs);
    return { status: "parked", wakeAt, waitsFor: turn(entry.reason) };
  }
}
