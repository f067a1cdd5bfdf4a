import type { ReadMessage } from "../nats/batch-reader.ts";
import { readForward, readLast } from "../nats/read.ts";
import type { NatsSession } from "../nats/session.ts";
import { runSummary } from "./nats-run-record.ts";

/** How often old runs are looked for, in milliseconds. Several hosts may do it; what is gone already costs nothing. */
const sweepEveryMs = 3_600_000;
/** Messages that are looked through at once. */
const pageSize = 1_000;

/** Removes runs that finished longer ago than they are kept, now and then until the returned function is called. */
export function startRetention(session: NatsSession, onError: (error: unknown) => void): () => Promise<void> {
  const { clock, keepRunsMs } = session;
  if (keepRunsMs === undefined) return () => Promise.resolve();
  let closed = false;
  let cancel: (() => void) | undefined;
  let sweeping: Promise<void> | undefined;
  const sweep = async (): Promise<void> => {
    try {
      await removeFinished(session, clock.now() - keepRunsMs, () => closed);
    } catch (error) {
      onError(error);
    }
    if (!closed) cancel = clock.schedule(clock.now() + sweepEveryMs, begin);
  };
  const begin = (): void => {
    sweeping = sweep();
  };
  begin();
  return async () => {
    closed = true;
    cancel?.();
    await sweeping;
  };
}

/** Goes through the histories, oldest first, as far as they are older than `before`; runs under way stay whole. */
export async function removeFinished(
  session: NatsSession,
  before: number,
  stopped: () => boolean = () => false,
): Promise<void> {
  const { stream } = session.names.runs;
  const subject = session.names.run("*", "*");
  for (let after = 0; !stopped();) {
    const page = await readForward(session, stream, { subject, after, limit: pageSize });
    const old = page.filter(({ time }) => time.getTime() < before);
    const last = await readLast(session, stream, [...new Set(old.map((message) => message.subject))]);
    for (const message of last) {
      if (!stopped() && isOver(message, before)) {
        await session.manager.streams.purge(stream, { filter: message.subject });
      }
    }
    if (old.length < pageSize) return;
    after = old.at(-1)?.seq ?? after;
  }
}

function isOver(message: ReadMessage, before: number): boolean {
  return runSummary(message).finishedAt !== undefined && message.time.getTime() < before;
}
