import type { ReadMessage } from "../nats/batch-reader.ts";
import { readForward, readLastOf, readSeq } from "../nats/read.ts";
import type { NatsSession } from "../nats/session.ts";
import type { HistoryEntry } from "../run/history.ts";
import { decodeChange } from "./nats-run-record.ts";

/**
 * Where the messages of runs stand. Each message names those before it, since the server finds a message by its place
 * twenty times as fast as the next one of a subject; one that parks a run repeats the few entries that there are.
 */
interface Trails {
  /** The places of a run's messages up to `revision`, as far as they are known. */
  behind(runId: string, revision: number): readonly number[];
  /** All entries up to `revision`, where they are known and few. */
  past(runId: string, revision: number): readonly HistoryEntry[] | undefined;
  /** A message of so many bytes was stored behind `revision`; `goesOn`: more of this host may follow. */
  wrote(runId: string, revision: number, message: Written): void;
  /** The messages of a run in their order; where one has the `past`, those from it on. */
  read(subject: string): Promise<readonly ReadMessage[]>;
  /** What the messages that were read come to. */
  told(runId: string, messages: readonly ReadMessage[], history: readonly HistoryEntry[]): void;
}

interface Written {
  readonly seq: number;
  readonly entries: readonly HistoryEntry[];
  readonly bytes: number;
  readonly goesOn: boolean;
}

interface Known {
  readonly places: readonly number[];
  /** Undefined where they are many, or not all of them are known. */
  readonly past?: { readonly entries: readonly HistoryEntry[]; readonly bytes: number } | undefined;
}

/** Runs whose places are kept in memory, and places in one message, at most. */
const mostRuns = 10_000;
const mostPlaces = 200;
/** Bytes of messages whose entries are repeated, at most. */
const mostBytes = 4_096;

export function createTrails(session: NatsSession): Trails {
  const { stream } = session.names.runs;
  const known = new Map<string, Known>();

  const keep = (runId: string, { places, past }: Known): void => {
    known.delete(runId);
    known.set(runId, { places, past: past !== undefined && past.bytes <= mostBytes ? past : undefined });
    const [oldest] = known.keys();
    if (known.size > mostRuns && oldest !== undefined) known.delete(oldest);
  };

  /** Undefined where a message is missing, or does not say what is before it. */
  const follow = async (last: ReadMessage): Promise<readonly ReadMessage[] | undefined> => {
    const found = [last];
    for (let first = last; ;) {
      const { behind, entries, past } = decodeChange(first);
      if (past !== undefined) return found;
      if (behind === undefined) return entries[0]?.type === "run.started" ? found : undefined;
      if (behind.length === 0) return found;
      const before = await Promise.all(behind.map((seq) => readSeq(session, stream, seq)));
      const [next] = before;
      if (next === undefined || before.some((message) => message?.subject !== last.subject)) return undefined;
      found.unshift(...before.filter((message) => message !== undefined));
      first = next;
    }
  };

  const upTo = (runId: string, revision: number): Known | undefined => {
    if (revision === 0) return { places: [], past: { entries: [], bytes: 0 } };
    const found = known.get(runId);
    return found?.places.at(-1) === revision ? found : undefined;
  };

  const behind: Trails["behind"] = (runId, revision) =>
    upTo(runId, revision)?.places.slice(-mostPlaces) ?? [revision];

  return {
    behind,
    past: (runId, revision) => upTo(runId, revision)?.past?.entries,
    wrote(runId, revision, { seq, entries, bytes, goesOn }) {
      const before = upTo(runId, revision)?.past;
      const past = before && { entries: [...before.entries, ...entries], bytes: before.bytes + bytes };
      if (goesOn) keep(runId, { places: [...behind(runId, revision), seq], past });
      else known.delete(runId);
    },
    async read(subject) {
      const last = await readLastOf(session, stream, subject);
      if (last === undefined) return [];
      const limit = Number.POSITIVE_INFINITY;
      const messages =
        (await follow(last)) ?? (await readForward(session, stream, { subject, after: 0, limit }));
      const from = messages.findLastIndex((message) => decodeChange(message).past !== undefined);
      return messages.slice(Math.max(from, 0));
    },
    told(runId, messages, history) {
      const [first] = messages;
      const before = first === undefined ? [] : (decodeChange(first).behind ?? []);
      const bytes = messages.reduce((sum, { data }) => sum + data.length, 0);
      const places = [...before, ...messages.map(({ seq }) => seq)];
      keep(runId, { places, past: { entries: history, bytes } });
    },
  };
}
