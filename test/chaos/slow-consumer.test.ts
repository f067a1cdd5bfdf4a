import { afterEach, describe, expect, test, vi } from "vitest";
import { until } from "../host/broker/broker-contract.ts";
import { findNatsServer } from "../host/nats/find-server.ts";
import { freePort } from "../free-port.ts";
import { createPassage } from "./passage.ts";
import { startWorld, type World } from "./world.ts";

// Leases run out, leaders are found, the client gives up waiting: seconds each, and more on a loaded machine.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 120_000 });

const program = findNatsServer() ?? "";

describe.skipIf(program === "")("a slow consumer", () => {
  let world: World | undefined;
  afterEach(async () => {
    await world?.stop();
    world = undefined;
  });

  test("takes no more than it has room for, and the others take the rest", async () => {
    world = await startWorld({ program, servers: 1, hosts: 2, leaseMs: 1_000, maxRuns: [200, 1] });
    const passage = createPassage(world);
    await passage.through(async () => undefined, {
      names: ["chaos.slow", "chaos.quick"],
      senders: 8,
      flowing: 40,
    });
    const all = await world.executions();
    const by = (name: string) => all.filter(({ host }) => host === name).length;
    expect(by("host-2")).toBeGreaterThan(0);
    expect(by("host-1")).toBeGreaterThan(by("host-2"));
  });

  test("is not cut off by its server, as it asks for no more than the server holds for it", async () => {
    const port = await freePort();
    const serverConfig = `http: "127.0.0.1:${port}"\nmax_payload: 256KB\nmax_pending: 4MB\n`;
    world = await startWorld({ program, servers: 1, hosts: 2, leaseMs: 1_000, serverConfig });
    const { hosts } = world;
    await createPassage(world).through(
      async (publisher) => {
        for (const host of hosts) host.pause();
        const { size } = publisher.acknowledged;
        await until(() => publisher.acknowledged.size > size + 150);
        for (const host of hosts) host.resume();
      },
      { names: ["chaos.quick"], senders: 8, padding: 200_000 },
    );
    const answer = await fetch(`http://127.0.0.1:${port}/varz`);
    expect(((await answer.json()) as { slow_consumers: number }).slow_consumers).toBe(0);
  });
});
