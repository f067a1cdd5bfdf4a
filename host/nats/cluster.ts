import { errors, type Msg } from "@nats-io/transport-node";
import type { Completion } from "../../runtime/http/completions.ts";
import type { StoredEvent } from "../broker/broker.ts";
import { MillraceError } from "../errors.ts";
import type { Nudged } from "../executor/peers.ts";
import type { Live, LiveMessage } from "../live.ts";
import { unrecorded } from "../recording.ts";
import type { Cluster } from "../store.ts";
import type { NatsSession } from "./session.ts";

/** How long an asked host has to answer, in milliseconds. */
const answerMs = 1_000;
/** The same of one that has something to record first. */
const recordMs = 15_000;
/** How long a host tells what happens on it after it was asked to, and how often it is asked, in milliseconds. */
const tellMs = 10_000;
const askMs = 3_000;

/** What is said, as hosts of earlier versions say it too. */
const answers: Readonly<Record<string, Nudged>> = { yes: "held", no: "absent", unwanted: "unwanted" };
const said = { held: "yes", absent: "no", unwanted: "unwanted" } as const satisfies Record<Nudged, string>;

/** What hosts say to each other, over plain subjects: nothing of it is stored, and nothing depends on its arrival. */
export function createNatsCluster(session: NatsSession): Cluster {
  const { connection, names, host } = session;
  const closers: (() => void)[] = [];

  return {
    async holds(other, runId, offered) {
      try {
        const question = offered === undefined ? runId : `${runId} ${JSON.stringify(offered)}`;
        const answer = await connection.request(names.host(other), question, { timeout: answerMs });
        return answers[answer.string()] ?? "absent";
      } catch {
        // Nobody there, or no answer: as good as gone.
        return "absent";
      }
    },
    answer(nudge) {
      const subscription = connection.subscribe(names.host(host), {
        callback(error, message) {
          if (error !== null) return;
          const [runId, offered] = splitAt(message.string(), " ");
          const stored = offered === undefined ? undefined : (JSON.parse(offered) as StoredEvent);
          message.respond(said[nudge(runId, stored)]);
        },
      });
      closers.push(() => subscription.unsubscribe());
    },
    async complete(other, token, completion) {
      const text = JSON.stringify({ token, completion });
      const most = connection.info?.max_payload ?? 0;
      if (Buffer.byteLength(text) > most) {
        const message = `The completion belongs to the host ${other}, and with more than ${most} bytes it can't be passed on.`;
        throw new MillraceError("ERR_COMPLETION_TOO_LARGE", message);
      }
      let answer: string;
      try {
        const options = { timeout: recordMs };
        answer = (await connection.request(names.completions(other), text, options)).string();
      } catch (error) {
        if (error instanceof errors.RequestError && error.isNoResponders()) return false;
        throw unrecorded();
      }
      if (answer === "later") throw unrecorded();
      return answer === "yes";
    },
    answerCompletions(complete) {
      const subscription = connection.subscribe(names.completions(host), {
        callback(error, message) {
          if (error !== null) return;
          const { token, completion } = message.json<{ token: string; completion: Completion }>();
          void answerCompletion(() => complete(token, completion), message);
        },
      });
      closers.push(() => subscription.unsubscribe());
    },
    live(own) {
      closers.push(telling(session, own));
      return listening(session, own, closers);
    },
    async close() {
      for (const close of closers) close();
    },
  };
}

async function answerCompletion(complete: () => Promise<boolean>, message: Msg): Promise<void> {
  const answer = await complete().catch(() => undefined);
  message.respond(answer === undefined ? "later" : answer ? "yes" : "no");
}

/** Tells other hosts what happens here for as long as one of them asks; ends with the returned function. */
function telling({ connection, names, host, clock }: NatsSession, own: Live): () => void {
  let stop: (() => void) | undefined;
  let until = 0;
  const watch = (): void => {
    if (clock.now() < until) {
      clock.schedule(until, watch);
      return;
    }
    stop?.();
    stop = undefined;
  };
  const subscription = connection.subscribe(names.liveWanted, {
    callback(error, message) {
      if (error !== null || message.string() === host) return;
      until = clock.now() + tellMs;
      if (stop !== undefined) return;
      const subject = names.live(host);
      stop = own.subscribe((happened) => {
        if (!connection.isClosed()) connection.publish(subject, JSON.stringify(happened));
      });
      clock.schedule(until, watch);
    },
  });
  return () => {
    subscription.unsubscribe();
    until = 0;
    stop?.();
  };
}

/** What happens on all hosts, which are asked for it while somebody listens. */
function listening(
  { connection, names, host, clock }: NatsSession,
  own: Live,
  closers: (() => void)[],
): Live {
  const listeners = new Set<(message: LiveMessage) => void>();
  let stop: (() => void) | undefined;

  const start = (): (() => void) => {
    const mine = names.live(host);
    const subscription = connection.subscribe(names.liveOfAll, {
      callback(error, message) {
        if (error !== null || message.subject === mine) return;
        const happened = message.json<LiveMessage>();
        for (const listener of listeners) listener(happened);
      },
    });
    let cancel: (() => void) | undefined;
    const ask = (): void => {
      if (connection.isClosed()) return;
      connection.publish(names.liveWanted, host);
      cancel = clock.schedule(clock.now() + askMs, ask);
    };
    ask();
    return () => {
      cancel?.();
      subscription.unsubscribe();
    };
  };
  closers.push(() => stop?.());

  return {
    publish: (message) => own.publish(message),
    subscribe(listener) {
      listeners.add(listener);
      const unsubscribe = own.subscribe(listener);
      stop ??= start();
      return () => {
        unsubscribe();
        listeners.delete(listener);
        if (listeners.size > 0) return;
        stop?.();
        stop = undefined;
      };
    },
    get observed() {
      return own.observed;
    },
  };
}

/** What stands before the first separator, and what behind it. */
function splitAt(text: string, separator: string): readonly [string, string?] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + separator.length)];
}
