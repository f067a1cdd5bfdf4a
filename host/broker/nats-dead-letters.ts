import type { ReadMessage } from "../nats/batch-reader.ts";
import { headers as emptyHeaders, type MsgHdrs } from "@nats-io/transport-node";
import type { MillraceError, Problem } from "../errors.ts";
import { readForward, readSeq } from "../nats/read.ts";
import type { NatsSession } from "../nats/session.ts";
import type { DeadLetter, DeadLetters } from "./broker.ts";
import type { EventMessage } from "./nats-events.ts";

/** Dead letters, and the way to become one. */
interface NatsDeadLetters extends DeadLetters {
  /** Durable when it resolves; the same message again changes nothing, within the dedupe window. */
  add(message: EventMessage, error: MillraceError): Promise<void>;
}

const codeHeader = "Millrace-Error-Code";
const messageHeader = "Millrace-Error";
const problemsHeader = "Millrace-Problems";
const subjectHeader = "Millrace-Subject";
const ownHeaders = new Set([codeHeader, messageHeader, problemsHeader, subjectHeader]);

/** Problems that headers have room for (nats-server takes 64 KiB of headers). */
const mostProblems = 20;

/** Messages on the events' subjects that are no events, in a stream of their own with the reasons in their headers. */
export function createNatsDeadLetters(session: NatsSession): NatsDeadLetters {
  const { names, publisher, manager } = session;
  const { stream, subjects } = names.deadLetters;

  const get = async (seq: number): Promise<ReadMessage | undefined> => readSeq(session, stream, seq);

  return {
    async add({ subject, headers, data, seq }, error) {
      const header = senderHeaders(headers);
      header.set("Nats-Msg-Id", `${seq}`);
      header.set(subjectHeader, subject);
      header.set(codeHeader, error.code);
      header.set(messageHeader, headerText(error.message));
      header.set(problemsHeader, headerText(JSON.stringify(error.problems.slice(0, mostProblems))));
      await publisher.publish(names.deadLetter(subject), data, header);
    },
    async count() {
      return (await manager.streams.info(stream)).state.messages;
    },
    async list({ afterSeq = 0, limit }) {
      const found = await readForward(session, stream, {
        subject: subjects[0] ?? "",
        after: afterSeq,
        limit,
      });
      return found.map(deadLetter);
    },
    async get(seq) {
      const found = await get(seq);
      return found === undefined ? undefined : deadLetter(found);
    },
    async resubmit(seq) {
      const found = await get(seq);
      if (found === undefined) return false;
      const { subject } = deadLetter(found);
      await publisher.publish(subject, found.data, senderHeaders(found.header));
      await manager.streams.deleteMessage(stream, seq, false);
      return true;
    },
    async discard(seq) {
      if ((await get(seq)) === undefined) return false;
      return manager.streams.deleteMessage(stream, seq, false);
    },
  };
}

/** What the sender wrote: without our headers, and without the id by which the server would take it for a duplicate. */
function senderHeaders(given: MsgHdrs | undefined): MsgHdrs {
  const kept = emptyHeaders();
  for (const [name, values] of given ?? []) {
    if (name.startsWith("Nats-") || ownHeaders.has(name)) continue;
    for (const value of values) kept.append(name, value);
  }
  return kept;
}

/** Headers are lines: what a sender wrote must not end one. */
function headerText(text: string): string {
  return text.slice(0, 8_192).replaceAll(/[\r\n]+/g, " ");
}

function deadLetter({ seq, time, header, data }: ReadMessage): DeadLetter {
  return {
    seq,
    at: time.getTime(),
    subject: header.get(subjectHeader),
    code: header.get(codeHeader),
    message: header.get(messageHeader),
    problems: problemsOf(header.get(problemsHeader)),
    payload: new TextDecoder().decode(data),
  };
}

function problemsOf(text: string): readonly Problem[] {
  try {
    return JSON.parse(text) as readonly Problem[];
  } catch {
    // Cut off: there were too many.
    return [];
  }
}
