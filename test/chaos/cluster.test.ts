import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { until } from "../host/broker/broker-contract.ts";
import { findNatsServer } from "../host/nats/find-server.ts";
import type { NatsServer } from "../host/nats/server.ts";
import { insist, pause } from "./insist.ts";
import { createPassage, type Passage } from "./passage.ts";
import { startWorld, type World } from "./world.ts";

// Leases run out, leaders are found, the client gives up waiting: seconds each, and more on a loaded machine.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 120_000 });

const program = findNatsServer();

describe.skipIf(program === undefined)("hosts on a cluster of three lose nothing and record once", () => {
  let world: World;
  let passage: Passage;
  beforeAll(async () => {
    world = await startWorld({ program: program ?? "", servers: 3, hosts: 2, leaseMs: 1_000 });
    passage = createPassage(world);
  });
  afterAll(() => world.stop());

  const leaderOf = (stream: string): Promise<NatsServer> =>
    insist(async () => {
      const leader = await world.leaderOf(stream);
      if (leader === undefined) throw new Error(`${stream} has no leader`);
      return leader;
    });

  let killed: NatsServer | undefined;

  test("when the server that leads the runs is killed, and the one that leads the events paused", async () => {
    await passage.through(async (publisher) => {
      const first = await leaderOf("runs");
      killed = first;
      await first.kill();
      const { size } = publisher.acknowledged;
      // The other two go on without it.
      await until(() => publisher.acknowledged.size >= size + 10);
      expect(await leaderOf("runs")).not.toBe(first);
      await first.start();
      const second = await leaderOf("events");
      second.pause();
      try {
        await until(async () => (await world.leaderOf("events").catch(() => second)) !== second);
        await pause(world.leaseMs);
      } finally {
        second.resume();
      }
    });
  });

  test("when the other two are killed: nothing is acknowledged until one is back", async () => {
    const others = world.servers.filter((server) => server !== killed);
    const { refused } = await passage.through(async (publisher) => {
      await Promise.all(others.map((server) => server.kill()));
      const { size } = publisher.refused;
      await until(() => publisher.refused.size > size);
      await Promise.all(others.map((server) => server.start()));
    });
    expect(refused.size).toBeGreaterThan(0);
  });
});
