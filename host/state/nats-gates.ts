import type { Json } from "../../runtime/json.ts";
import { headersOf, refusedWith, storeError } from "../nats/publisher.ts";
import { readLastOf } from "../nats/read.ts";
import type { NatsSession } from "../nats/session.ts";
import type { Gates } from "./state.ts";

/** The server's compare-and-set: the last message on the message's own subject. */
const expectedHeader = "Nats-Expected-Last-Subject-Sequence";
const ttlHeader = "Nats-TTL";

/** Documents of flow control, a subject each, which holds the last message alone; its sequence is the revision. */
export function createNatsGates(session: NatsSession): Gates {
  const { names, publisher } = session;
  const { stream } = names.gates;
  return {
    async load(key) {
      const message = await readLastOf(session, stream, names.gate(key));
      return message && { revision: message.seq, value: message.json() as Json };
    },
    async store(key, value, over, keepMs) {
      const header = headersOf({
        [expectedHeader]: String(over ?? 0),
        // A second is the least that the server takes.
        ...(keepMs === undefined ? {} : { [ttlHeader]: `${Math.max(Math.ceil(keepMs / 1_000), 1)}s` }),
      });
      try {
        return (await publisher.publish(names.gate(key), JSON.stringify(value), header)).seq;
      } catch (error) {
        if (refusedWith(error, "wrongLastSequence")) return undefined;
        throw storeError(error);
      }
    },
  };
}
