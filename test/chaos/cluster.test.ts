import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { until } from "../host/broker/broker-contract.ts";
import { findNatsServer } from "../host/nats/find-server.ts";
import type { NatsServer } from "../host/nats/server.ts";
import { insist, pause } from "./insist.ts";
import { createPassage, type Passage } from "./passage.ts";
import { startWorld, type World } from "./world.ts";

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

  test("when the servers that lead each stream are killed, one after the other", async () => {
    const killed: string[] = [];
    await passage.through(async (publisher) => {
      for (const stream of ["runs", "events", "wakes"]) {
        const leader = await leaderOf(stream);
        killed.push(leader.name);
        const before = publisher.acknowledged.size;
        await leader.kill();
        // The other two go on without it.
        await until(() => publisher.acknowledged.size >= before + 10);
        expect((await leaderOf(stream)).name).not.toBe(leader.name);
        await leader.start();
      }
    });
    expect(killed.length).toBe(3);
  });

  test("when two of three are gone: nothing is acknowledged until one is back", async () => {
    const [first, second] = world.servers;
    const { refused } = await passage.through(async (publisher) => {
      await Promise.all([first?.kill(), second?.kill()]);
      const { size } = publisher.refused;
      await until(() => publisher.refused.size > size);
      await Promise.all([first?.start(), second?.start()]);
    });
    expect(refused.size).toBeGreaterThan(0);
  });

  test("when a leader is paused while another takes over, and wakes", async () => {
    const leader = await leaderOf("runs");
    await passage.through(async () => {
      leader.pause();
      try {
        await until(async () => (await world.leaderOf("runs").catch(() => leader)) !== leader);
        await pause(world.leaseMs);
      } finally {
        leader.resume();
      }
    });
  });
});
