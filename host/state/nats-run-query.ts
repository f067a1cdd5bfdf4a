import { functionDigest, functionDigestOf } from "../run/run-id.ts";
import { readBackward, readLast } from "../nats/read.ts";
import type { NatsSession } from "../nats/session.ts";
import { decodeChange, runSummary } from "./nats-run-record.ts";
import type { RunFilter, RunHeader, Runs, RunSummary } from "./state.ts";

/** Messages that one page looks through, at least: a run has two or more. */
const leastMessages = 200;
const mostMessages = 2_000;

/** A run that may be listed. */
interface Candidate {
  readonly seq: number;
  readonly subject: string;
  /** Found by an event that it has collected. */
  readonly collected?: true;
}

/**
 * Lists runs by their first messages, newest first. There is no index but the subjects, which have the function: what
 * else is asked for is looked for page by page, so a page may be short, or empty, and still have a next one.
 */
export async function queryNatsRuns(
  session: NatsSession,
  filter: RunFilter,
): Promise<Awaited<ReturnType<Runs["query"]>>> {
  const { names } = session;
  const { stream } = names.runs;
  const { functionId, limit, cursor } = filter;
  const subject = names.run(functionId === undefined ? "*" : functionDigest(functionId), "*");
  const wanted = Math.min(Math.max(limit * 4, leastMessages), mostMessages);
  const before = cursor === undefined ? {} : { before: Number(cursor) };
  const { messages, from } = await readBackward(session, stream, { subject, wanted, ...before });
  const newest = messages.toReversed().map((message) => ({ message, ...decodeChange(message) }));
  const candidates = newest.flatMap(({ message: { seq, subject }, entries, run }): Candidate[] =>
    entries[0]?.type === "run.started" && fits(run, filter) ? [{ seq, subject }] : [],
  );
  if (filter.eventId !== undefined) {
    // What went into a run with others leads to that one, unless it has gone on from there.
    const sent = newest.filter(({ run, into }) => into !== undefined && fits(run, filter));
    const subjects = sent.map(({ message }) => message.subject);
    const standing = new Set((await readLast(session, stream, subjects)).map(({ seq }) => seq));
    for (const { message, into = "" } of sent) {
      if (!standing.has(message.seq)) continue;
      candidates.push({
        seq: message.seq,
        subject: names.run(functionDigestOf(into), into),
        collected: true,
      });
    }
    candidates.sort((one, other) => other.seq - one.seq);
  }
  const last = await readLast(
    session,
    stream,
    candidates.map(({ subject }) => subject),
  );
  const bySubject = new Map(last.map((message) => [message.subject, runSummary(message)]));
  const runs: { readonly seq: number; readonly run: RunSummary }[] = [];
  for (const { seq, subject: of, collected } of candidates) {
    const run = bySubject.get(of);
    if (run === undefined || (filter.status !== undefined && run.status !== filter.status)) continue;
    // The first of its events finds it by its own beginning.
    if (collected !== true || run.eventId !== filter.eventId) runs.push({ seq, run });
  }
  const page = runs.slice(0, limit);
  // Behind the last run of a full page, or behind all that was looked through.
  const next = runs.length > limit ? page.at(-1)?.seq : from;
  const more = next !== undefined && (await hasBefore(session, subject, next));
  return { runs: page.map(({ run }) => run), ...(more ? { next: String(next) } : {}) };
}

function fits(run: RunHeader, { functionId, eventId, userId }: RunFilter): boolean {
  return (
    (functionId === undefined || run.functionId === functionId) &&
    (eventId === undefined || run.eventId === eventId) &&
    (userId === undefined || run.userId === userId)
  );
}

async function hasBefore(session: NatsSession, subject: string, seq: number): Promise<boolean> {
  const { messages } = await readBackward(session, session.names.runs.stream, {
    subject,
    before: seq,
    wanted: 1,
  });
  return messages.length > 0;
}
