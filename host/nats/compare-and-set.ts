import type { NatsSession } from "./session.ts";
import { unavailable } from "./layout.ts";
import { headersOf, refusedWith } from "./publisher.ts";
import { readLastOf } from "./read.ts";

/** Expected sequence of the last message on the message's own subject: the server's compare-and-set. */
const expectedHeader = "Nats-Expected-Last-Subject-Sequence";
/** The pause before a write is tried again that another one under way stood in the way of, in milliseconds; and how often. */
const underWayMs = 10;
const triedAgain = 500;

interface Change {
  readonly stream: string;
  readonly subject: string;
  /** The sequence of the message that is to be the subject's last one until then; 0: it has none. */
  readonly over: number;
  readonly payload: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * Resolves to the message's sequence, or to undefined when the subject's last message is another one: whoever reads it
 * then finds that. Throws as a publisher does.
 */
export async function compareAndSet(session: NatsSession, change: Change): Promise<number | undefined> {
  const { stream, subject, over, payload, headers = {} } = change;
  const header = headersOf({ ...headers, [expectedHeader]: String(over) });
  for (let tries = 0; ; tries += 1) {
    try {
      return (await session.publisher.publish(subject, payload, header)).seq;
    } catch (error) {
      if (!refusedWith(error, "wrongLastSequence")) throw error;
      if (session.replicas === 1) return undefined;
      // Servers that agree on each message refuse for one that they may never agree on, too.
      const last = await readLastOf(session, stream, subject);
      if ((last?.seq ?? 0) !== over) return undefined;
      if (tries === triedAgain) throw unavailable(`The NATS stream ${stream} can't be written`, error);
      await pause(session, underWayMs);
    }
  }
}

function pause({ clock }: NatsSession, ms: number): Promise<void> {
  return new Promise((resolve) => void clock.schedule(clock.now() + ms, resolve));
}
