import { untoken } from "../nats/names.ts";
import { headersOf, storeError } from "../nats/publisher.ts";
import { readForward, readLastOf } from "../nats/read.ts";
import type { NatsSession } from "../nats/session.ts";
import { shareReads } from "../nats/share-reads.ts";
import type { ArmedWait, Waits } from "./state.ts";

/** An armed wait whose end nobody wrote down goes by itself, so long after its time, in milliseconds. */
const leftOverMs = 7 * 24 * 3_600_000;
/** How long a message that takes a wait's place stays, in seconds: the least that the server takes. */
const goneSeconds = 1;
const ttlHeader = "Nats-TTL";

/**
 * Armed waits, a subject each, which has the key. Hosts keep the paths in memory, and ask the stream's leader before
 * each look whether there are more by now: events that come at once share the question.
 */
export function createNatsWaits(session: NatsSession): Waits {
  const { names, publisher, clock } = session;
  const { stream } = names.waits;
  const known = new Map<string, Set<string>>();
  let knownTo = 0;

  const learn = (eventName: string, path: string): void => {
    const paths = known.get(eventName);
    if (paths === undefined) known.set(eventName, new Set([path]));
    else paths.add(path);
  };
  const learnMore = shareReads(async () => {
    const last = (await readLastOf(session, stream, names.waitPaths))?.seq ?? 0;
    if (last <= knownTo) return;
    const limit = Number.POSITIVE_INFINITY;
    const more = await readForward(session, stream, { subject: names.waitPaths, after: knownTo, limit });
    for (const { subject } of more) {
      const [eventName = "", path = ""] = subject.split(".").slice(-2).map(untoken);
      learn(eventName, path);
    }
    knownTo = last;
  });
  const publish = async (subject: string, payload: string, seconds?: number): Promise<void> => {
    const header = seconds === undefined ? undefined : headersOf({ [ttlHeader]: `${seconds}s` });
    try {
      await publisher.publish(subject, payload, header);
    } catch (error) {
      throw storeError(error);
    }
  };
  const arm = ({ key, runId, wait, until }: ArmedWait): Promise<void> => {
    const left = Math.max(until - clock.now(), 0) + leftOverMs;
    return publish(names.wait(key, runId, wait), "armed", Math.ceil(left / 1_000));
  };

  return {
    async declare(eventName, path) {
      await learnMore();
      if (known.get(eventName)?.has(path) !== true) {
        await publish(names.waitPath(eventName, path), "");
      }
    },
    async paths(eventName) {
      await learnMore();
      return [...(known.get(eventName) ?? [])];
    },
    async arm(waits) {
      await Promise.all(waits.map(arm));
    },
    async disarm(waits) {
      await Promise.all(
        waits.map(({ key, runId, wait }) => publish(names.wait(key, runId, wait), "", goneSeconds)),
      );
    },
    async find(key, { after = "0", limit }) {
      const subject = names.wait(key, "*", "*");
      const found = await readForward(session, stream, { subject, after: Number(after), limit });
      const waits = found
        .filter(({ data }) => data.length > 0)
        .map((message) => {
          const [runId = "", wait = ""] = message.subject.split(".").slice(-2);
          return { runId, wait };
        });
      const last = found.at(-1);
      return found.length < limit || last === undefined ? { waits } : { waits, next: String(last.seq) };
    },
  };
}
