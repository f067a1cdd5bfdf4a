import type { Json } from "../../runtime/json.ts";
import { compareAndSet } from "../nats/compare-and-set.ts";
import { storeError } from "../nats/publisher.ts";
import { readLastOf } from "../nats/read.ts";
import type { NatsSession } from "../nats/session.ts";
import type { Gates } from "./state.ts";

const ttlHeader = "Nats-TTL";

/** Documents of flow control, a subject each, which holds the last message alone; its sequence is the revision. */
export function createNatsGates(session: NatsSession): Gates {
  const { names } = session;
  const { stream } = names.gates;
  return {
    async load(key) {
      const message = await readLastOf(session, stream, names.gate(key));
      return message && { revision: message.seq, value: message.json() as Json };
    },
    async store(key, value, over, keepMs) {
      // A second is the least that the server takes.
      const ttl = keepMs === undefined ? undefined : `${Math.max(Math.ceil(keepMs / 1_000), 1)}s`;
      const headers = ttl === undefined ? {} : { [ttlHeader]: ttl };
      const payload = JSON.stringify(value);
      const change = { stream, subject: names.gate(key), over: over ?? 0, payload, headers };
      try {
        return await compareAndSet(session, change);
      } catch (error) {
        throw storeError(error);
      }
    },
  };
}
