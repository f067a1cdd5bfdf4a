import type { ReadMessage } from "./batch-reader.ts";
import { largestAnswer } from "./answer-size.ts";
import { unavailable } from "./layout.ts";
import type { NatsSession } from "./session.ts";

/** A page of messages. */
export interface Window {
  readonly messages: readonly ReadMessage[];
  /** The window begins behind this sequence: a page before it ends there. */
  readonly from: number;
}

/** Messages that one request reads, at most. */
const pageSize = 1_000;
/** Subjects of which one request reads the last message, at most (nats-server allows 1,024). */
const subjectsAtOnce = 500;
/** The pause before a copy that is behind is asked again, in milliseconds; and how often. */
const behindMs = 10;
const askedAgain = 500;

/** What nats-server says where there is no message: the status of a direct read. */
const noMessage = 404;

/** The messages of a subject (wildcards allowed) behind a sequence, oldest first; all acknowledged writes included. */
export async function readForward(
  session: NatsSession,
  stream: string,
  { subject, after, limit }: { readonly subject: string; readonly after: number; readonly limit: number },
): Promise<readonly ReadMessage[]> {
  if (session.replicas === 1) return readOnlyCopy(session, stream, { subject, after, limit });
  let last = await lastSeqOf(session, stream, subject);
  const found: ReadMessage[] = [];
  let behind = after;
  let left = askedAgain;
  while (behind < last && found.length < limit) {
    const batch = Math.min(limit - found.length, pageSize);
    const page = await batchOf(session, stream, { seq: behind + 1, next_by_subj: subject, batch });
    found.push(...page);
    behind = page.at(-1)?.seq ?? behind;
    if (page.length > 0) continue;
    // A copy that has not got everything yet may have answered; or what was last is gone by now.
    if (left-- === 0) {
      throw unavailable(`The NATS stream ${stream} can't be read`, new Error("its copy is too far behind"));
    }
    await pause(session, behindMs);
    last = await lastSeqOf(session, stream, subject);
  }
  return found;
}

/**
 * Where there is one copy, what it has is all there is. No more is asked for than there is, as the first message says:
 * the server looks for one more until the stream's end, which costs it twenty times as much as one that it finds.
 */
async function readOnlyCopy(
  session: NatsSession,
  stream: string,
  { subject, after, limit }: { readonly subject: string; readonly after: number; readonly limit: number },
): Promise<readonly ReadMessage[]> {
  const found: ReadMessage[] = [];
  let behind = after;
  for (let batch = Math.min(limit, 1); batch > 0;) {
    const page = await batchOf(session, stream, { seq: behind + 1, next_by_subj: subject, batch });
    found.push(...page);
    const last = page.at(-1);
    if (last === undefined) break;
    behind = last.seq;
    batch = Math.min(last.pending, limit - found.length, pageSize);
  }
  return found;
}

/**
 * The newest messages of a subject before a sequence, oldest first: at least `wanted` of them, unless the stream has
 * no more.
 */
export async function readBackward(
  session: NatsSession,
  stream: string,
  {
    subject,
    before,
    wanted,
  }: { readonly subject: string; readonly before?: number; readonly wanted: number },
): Promise<Window> {
  const { first_seq: first } = (await session.manager.streams.info(stream)).state;
  const last = await lastSeqOf(session, stream, subject);
  let end = Math.min(before ?? Number.POSITIVE_INFINITY, last + 1);
  let width = wanted;
  let found: ReadMessage[] = [];
  while (end > first && found.length < wanted) {
    const from = Math.max(end - width, first);
    const messages = await readForward(session, stream, { subject, after: from - 1, limit: end - from });
    found = [...messages.filter(({ seq }) => seq < end), ...found];
    end = from;
    // Sparse subjects: the server skips what is not of them, so wide windows cost little.
    width *= 4;
  }
  return { messages: found, from: end };
}

/** The last message of each subject that has one. */
export async function readLast(
  session: NatsSession,
  stream: string,
  subjects: readonly string[],
): Promise<readonly ReadMessage[]> {
  const found: ReadMessage[] = [];
  for (let i = 0; i < subjects.length; i += subjectsAtOnce) {
    let missing: readonly string[] = subjects.slice(i, i + subjectsAtOnce);
    // An answer ends where it becomes large: what it does not hold is asked for again.
    while (missing.length > 0) {
      const some = await batchOf(session, stream, { multi_last: missing });
      if (some.length === 0) break;
      found.push(...some);
      const got = new Set(some.map(({ subject }) => subject));
      missing = missing.filter((subject) => !got.has(subject));
    }
  }
  return found;
}

/** The last message of a subject; where there are several copies, asked of the stream's leader. */
export async function readLastOf(
  session: NatsSession,
  stream: string,
  subject: string,
): Promise<ReadMessage | undefined> {
  if (session.replicas === 1) return (await batchOf(session, stream, { last_by_subj: subject }))[0];
  try {
    return (await session.manager.streams.getMessage(stream, { last_by_subj: subject })) ?? undefined;
  } catch (error) {
    if (isNoMessage(error)) return undefined;
    throw unavailable(`The NATS stream ${stream} can't be read`, error);
  }
}

export async function readSeq(
  session: NatsSession,
  stream: string,
  seq: number,
): Promise<ReadMessage | undefined> {
  if (session.replicas === 1) return (await batchOf(session, stream, { seq }))[0];
  try {
    return (await session.manager.streams.getMessage(stream, { seq })) ?? undefined;
  } catch (error) {
    if (isNoMessage(error)) return undefined;
    throw unavailable(`The NATS stream ${stream} can't be read`, error);
  }
}

async function lastSeqOf(session: NatsSession, stream: string, subject: string): Promise<number> {
  return (await readLastOf(session, stream, subject))?.seq ?? 0;
}

async function batchOf(
  session: NatsSession,
  stream: string,
  request: BatchRequest,
): Promise<readonly ReadMessage[]> {
  // One message needs no bound, and with one the server looks for more.
  const several = "batch" in request || "multi_last" in request;
  const bound = several ? { max_bytes: largestAnswer(session.connection) } : {};
  try {
    return await session.reader.read(stream, { ...request, ...bound });
  } catch (error) {
    throw unavailable(`The NATS stream ${stream} can't be read`, error);
  }
}

/** A direct read, as nats-server takes it (ADR-31). */
type BatchRequest =
  | { readonly seq: number; readonly next_by_subj: string; readonly batch: number }
  | { readonly multi_last: readonly string[] }
  | { readonly last_by_subj: string }
  | { readonly seq: number };

function isNoMessage(error: unknown): boolean {
  return (error as { code?: unknown }).code === noMessage;
}

async function pause(session: NatsSession, ms: number): Promise<void> {
  await new Promise<void>((resolve) => {
    session.clock.schedule(session.clock.now() + ms, resolve);
  });
}
