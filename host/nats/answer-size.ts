import type { NatsConnection } from "@nats-io/transport-node";

/** So many of the server's largest messages in one answer: with much more at once it could cut us off as slow. */
const largestMessages = 4;
/** The largest message of a server that does not say, in bytes. */
const usualMessage = 1_048_576;

/** How much may be asked of the server at once, in bytes. */
export function largestAnswer({ info }: NatsConnection): number {
  return largestMessages * (info?.max_payload ?? usualMessage);
}
