import { functionDigest } from "../executor/run-id.ts";
import { readBackward, readLast } from "../nats/read.ts";
import type { NatsSession } from "../nats/session.ts";
import { decodeChange, runSummary } from "./nats-run-record.ts";
import type { RunFilter, RunHeader, Runs, RunSummary } from "./state.ts";

/** Messages that one page looks through, at least: a run has two or more. */
const leastMessages = 200;
const mostMessages = 2_000;

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
  const first = messages
    .filter((message) => decodeChange(message).entries[0]?.type === "run.started")
    .toReversed();
  const created = first.map((message) => ({ message, run: decodeChange(message).run }));
  const candidates = created.filter(({ run }) => fits(run, filter));
  const last = await readLast(
    session,
    stream,
    candidates.map(({ message }) => message.subject),
  );
  const bySubject = new Map(last.map((message) => [message.subject, runSummary(message)]));
  const runs: { readonly seq: number; readonly run: RunSummary }[] = [];
  for (const { message } of candidates) {
    const run = bySubject.get(message.subject);
    if (run !== undefined && (filter.status === undefined || run.status === filter.status)) {
      runs.push({ seq: message.seq, run });
    }
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
