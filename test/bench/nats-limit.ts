import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect, createInbox } from "@nats-io/transport-node";
import { systemClock } from "../../host/clock.ts";
import { createPublisher } from "../../host/nats/publisher.ts";
import type { Figure } from "./figure.ts";
import { payload } from "./load.ts";
import { measureOnNats } from "./nats-steps.ts";
import { serverDefaults, withNatsServer } from "./nats-store.ts";

const messages = 60_000;
const inFlight = 500;
const rounds = 3;

/** What one Node client can publish to a stream, by the client's own publish and by ours, and what share of that runs reach. */
export async function run(): Promise<readonly Figure[]> {
  const runs = await measureOnNats(1);
  const { client, own } = await withNatsServer(async (server) => {
    const connection = await connect({ servers: server.url });
    try {
      await (await jetstreamManager(connection)).streams.add({ name: "limit", subjects: ["limit.>"] });
      const context = jetstream(connection);
      const publisher = createPublisher(connection, systemClock, createInbox());
      const text = JSON.stringify({ id: "0".repeat(36), name: "bench/sent", data: payload(0), ts: 1 });
      const measured = {
        client: await best((n) => context.publish(`limit.client.${n}`, text)),
        own: await best((n) => publisher.publish(`limit.own.${n}`, text)),
      };
      publisher.close();
      return measured;
    } finally {
      await connection.close();
    }
  });
  const bench = "nats-limit";
  const stored = runs.throughput * (1 + runs.publishes);
  return [
    {
      bench,
      figure: "the client's publish",
      value: client,
      unit: "messages/s",
      settings: serverDefaults,
      better: "higher",
    },
    {
      bench,
      figure: "our publish",
      value: own,
      unit: "messages/s",
      against: "the client's own",
      settings: serverDefaults,
      ratio: own / client,
      better: "higher",
    },
    {
      bench,
      figure: "messages stored by nats-one-step",
      value: stored,
      unit: "messages/s",
      against: "what our publish alone reaches",
      settings: serverDefaults,
      ratio: stored / own,
      better: "higher",
    },
  ];
}

/** Acknowledged publishes per second, pipelined; the best of several rounds. */
async function best(publish: (n: string) => Promise<unknown>): Promise<number> {
  let most = 0;
  for (let round = 0; round < rounds; round += 1) {
    let sent = 0;
    const begun = performance.now();
    await Promise.all(
      Array.from({ length: inFlight }, async () => {
        while (sent < messages) await publish(`${round}-${sent++}`);
      }),
    );
    most = Math.max(most, (messages / (performance.now() - begun)) * 1_000);
  }
  return most;
}
