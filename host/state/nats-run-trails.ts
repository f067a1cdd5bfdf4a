import type { ReadMessage } from "../nats/batch-reader.ts";
import { readForward, readLastOf, readSeq } from "../nats/read.ts";
import type { NatsSession } from "../nats/session.ts";
import { decodeChange } from "./nats-run-record.ts";

/**
 * Where the messages of runs stand. Each message names those before it, since the server finds a message by its place
 * twenty times as fast as the next one of a subject.
 */
interface Trails {
  /** The places of a run's messages up to `revision`, as far as they are known. */
  behind(runId: string, revision: number): readonly number[];
  /** A message was stored; `goesOn`: more of this host may follow. */
  wrote(runId: string, behind: readonly number[], seq: number, goesOn: boolean): void;
  /** All messages of a run, in their order. */
  read(subject: string, runId: string): Promise<readonly ReadMessage[]>;
}

/** Runs whose places are kept in memory, and places in one message, at most. */
const mostRuns = 10_000;
const mostPlaces = 200;

export function createTrails(session: NatsSession): Trails {
  const { stream } = session.names.runs;
  const known = new Map<string, readonly number[]>();

  const keep = (runId: string, places: readonly number[]): void => {
    known.delete(runId);
    known.set(runId, places);
    const [oldest] = known.keys();
    if (known.size > mostRuns && oldest !== undefined) known.delete(oldest);
  };

  /** Undefined where a message is missing, or does not say what is before it. */
  const follow = async (last: ReadMessage): Promise<readonly ReadMessage[] | undefined> => {
    const found = [last];
    for (let first = last; ;) {
      const { behind, entries } = decodeChange(first);
      if (behind === undefined) return entries[0]?.type === "run.started" ? found : undefined;
      if (behind.length === 0) return found;
      const before = await Promise.all(behind.map((seq) => readSeq(session, stream, seq)));
      const [next] = before;
      if (next === undefined || before.some((message) => message?.subject !== last.subject)) return undefined;
      found.unshift(...before.filter((message) => message !== undefined));
      first = next;
    }
  };

  return {
    behind(runId, revision) {
      if (revision === 0) return [];
      const places = known.get(runId);
      return places?.at(-1) === revision ? places.slice(-mostPlaces) : [revision];
    },
    wrote(runId, behind, seq, goesOn) {
      if (goesOn) keep(runId, [...behind, seq]);
      else known.delete(runId);
    },
    async read(subject, runId) {
      const last = await readLastOf(session, stream, subject);
      if (last === undefined) return [];
      const limit = Number.POSITIVE_INFINITY;
      const messages =
        (await follow(last)) ?? (await readForward(session, stream, { subject, after: 0, limit }));
      keep(
        runId,
        messages.map(({ seq }) => seq),
      );
      return messages;
    },
  };
}
