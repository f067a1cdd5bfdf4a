import { storeError } from "../nats/publisher.ts";
import { readForward } from "../nats/read.ts";
import type { NatsSession } from "../nats/session.ts";
import type { Queues } from "./state.ts";

/** Queues as subjects of one stream: a message a run, whose sequence is the place. */
export function createNatsQueues(session: NatsSession): Queues {
  const { names, publisher, manager } = session;
  const { stream } = names.queues;
  return {
    async add(queue, runId) {
      try {
        return (await publisher.publish(names.queue(queue), runId)).seq;
      } catch (error) {
        throw storeError(error);
      }
    },
    async next(queue, after, limit) {
      const found = await readForward(session, stream, { subject: names.queue(queue), after, limit });
      return found.map(({ seq, data }) => ({ runId: new TextDecoder().decode(data), place: seq }));
    },
    async remove(_queue, place) {
      // What is not there any more was removed before.
      await manager.streams.deleteMessage(stream, place, false).catch(() => undefined);
    },
  };
}
