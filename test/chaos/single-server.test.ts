import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { until } from "../host/broker/broker-contract.ts";
import { findNatsServer } from "../host/nats/find-server.ts";
import { longerThanLease } from "./faults.ts";
import { insist, pause } from "./insist.ts";
import { createPassage, type Passage } from "./passage.ts";
import { startWorld, type World } from "./world.ts";

// Leases run out, leaders are found, the client gives up waiting: seconds each, and more on a loaded machine.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 120_000 });

const program = findNatsServer();

describe.skipIf(program === undefined)("hosts on a single nats-server lose nothing and record once", () => {
  let world: World;
  let passage: Passage;
  beforeAll(async () => {
    world = await startWorld({ program: program ?? "", servers: 1, hosts: 3, leaseMs: 1_000 });
    passage = createPassage(world);
  });
  afterAll(() => world.stop());

  /** Resolves when that host is in the midst of a slow step that it began after now. */
  const slowStepOn = async (name: string): Promise<void> => {
    const slow = async () =>
      (await world.executions()).filter(({ host, stepId }) => host === name && stepId === "slow").length;
    const before = await slow();
    await until(async () => (await slow()) > before);
  };

  test("when a host is killed in the midst of a step", async () => {
    const [, host] = world.hosts;
    const { repeated } = await passage.through(
      async () => {
        await slowStepOn("host-2");
        await host?.kill();
        await host?.start();
      },
      { names: ["chaos.slow", "chaos.quick", "chaos.flaky"] },
    );
    expect(repeated).toBeGreaterThan(0);
  });

  test("when a host is paused for longer than its lease, and wakes", async () => {
    const before = (await world.executions()).length;
    /** What host-3 had begun since, and another host has begun anew. */
    const taken = async (): Promise<readonly string[]> => {
      const slow = (await world.executions()).slice(before).filter(({ stepId }) => stepId === "slow");
      const others = new Set(slow.filter(({ host }) => host !== "host-3").map(({ runId }) => runId));
      return slow
        .filter(({ host, runId }) => host === "host-3" && others.has(runId))
        .map(({ runId }) => runId);
    };
    const [, , host] = world.hosts;
    await passage.through(
      async () => {
        await slowStepOn("host-3");
        host?.pause();
        await pause(longerThanLease(world));
        // What is due again may go to the paused host first.
        await until(async () => (await taken()).length > 0);
        host?.resume();
      },
      { names: ["chaos.slow", "chaos.fan", "chaos.wait"] },
    );
    expect(await taken()).not.toEqual([]);
  });

  test("when the only server is killed and comes back", async () => {
    const [server] = world.servers;
    const { refused } = await passage.through(async (publisher) => {
      await server?.kill();
      await until(() => publisher.refused.size > 0);
      await server?.start();
    });
    expect(refused.size).toBeGreaterThan(0);
  });

  test("when connections are cut, kept away, and held up", async () => {
    const [first, second, third] = world.proxies;
    await passage.through(
      async (publisher) => {
        first?.cut();
        second?.close();
        third?.halt();
        await pause(longerThanLease(world));
        await until(() => publisher.refused.size > 0);
        second?.mend();
        third?.mend();
      },
      { names: ["chaos.slow", "chaos.quick", "chaos.flaky"], senders: 8 },
    );
  });

  test("when the store of events is full: publishers are told, and go on once there is room", async () => {
    const { refused } = await passage.through(
      async (publisher) => {
        await resize("events", (bytes) => bytes + 2_000);
        await until(() => publisher.refused.has("ERR_STORE_FULL") && publisher.refused.has("nats 10077"));
        await resize("events", () => -1);
      },
      { names: ["chaos.quick", "chaos.elsewhere"] },
    );
    expect([...refused.keys()]).toEqual(expect.arrayContaining(["ERR_STORE_FULL", "nats 10077"]));
  });

  test("when the store of runs is full: they go on once there is room", async () => {
    await passage.through(
      async (publisher) => {
        await resize("runs", (bytes) => bytes + 2_000);
        const before = publisher.acknowledged.size;
        await until(() => publisher.acknowledged.size > before + 30);
        await resize("runs", () => -1);
      },
      { names: ["chaos.quick", "chaos.elsewhere", "chaos.broken"] },
    );
  });

  const resize = async (stream: string, size: (bytes: number) => number): Promise<void> => {
    const name = `${world.prefix}-${stream}`;
    await insist(async () => {
      const { config, state } = await world.manager.streams.info(name);
      await world.manager.streams.update(name, { ...config, max_bytes: size(state.bytes) });
    });
  };
});
