import type { NatsConnection } from "@nats-io/transport-node";

/** Calls back when the connection is interrupted, and when it is there again; until it is closed. */
export function onInterruption(
  connection: NatsConnection,
  { lost, back }: { lost?(): void; back(): void },
): void {
  void (async () => {
    for await (const { type } of connection.status()) {
      if (type === "disconnect") lost?.();
      if (type === "reconnect") back();
    }
  })();
}
