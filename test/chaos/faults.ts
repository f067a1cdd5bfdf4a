import type { Below } from "../random.ts";
import { insist, pause } from "./insist.ts";
import type { World } from "./world.ts";

/** Something that goes wrong, and is over when it resolves. `say` tells what was done to whom. */
export interface Fault {
  readonly name: string;
  /** To whom it happens: one at a time to the hosts, and at the same time one to the servers. */
  readonly to: "hosts" | "servers";
  /** True where it needs several servers. */
  readonly cluster?: boolean;
  happen(world: World, chance: Chance): Promise<void>;
}

interface Chance {
  readonly random: Below;
  say(what: string): void;
}

/** Longer than the lease of the hosts of this world, in milliseconds. */
export function longerThanLease({ leaseMs }: World): number {
  return 2 * leaseMs + 500;
}

export const faults: readonly Fault[] = [
  {
    name: "kill a host",
    to: "hosts",
    async happen({ hosts }, { random, say }) {
      const host = one(hosts, random);
      say(`kill ${host.name}`);
      await host.kill();
      await pause(random(3_000));
      say(`start ${host.name}`);
      await host.start();
    },
  },
  {
    name: "pause a host for longer than its lease",
    to: "hosts",
    async happen(world, { random, say }) {
      const host = one(world.hosts, random);
      say(`pause ${host.name}`);
      host.pause();
      await pause(longerThanLease(world) + random(2_000));
      say(`resume ${host.name}`);
      host.resume();
    },
  },
  {
    name: "pause a host for a moment",
    to: "hosts",
    async happen({ hosts, leaseMs }, { random, say }) {
      const host = one(hosts, random);
      const ms = random(leaseMs);
      say(`pause ${host.name} for ${ms} ms`);
      host.pause();
      await pause(ms);
      host.resume();
    },
  },
  {
    name: "close a host and start it again",
    to: "hosts",
    async happen({ hosts }, { random, say }) {
      const host = one(hosts, random);
      say(`close ${host.name}`);
      const code = await host.close();
      say(`start ${host.name}, which ended with ${code}`);
      await host.start();
    },
  },
  {
    name: "kill a server",
    to: "servers",
    async happen({ servers }, { random, say }) {
      const server = one(servers, random);
      say(`kill ${server.name}`);
      await server.kill();
      await pause(random(5_000));
      say(`start ${server.name}`);
      await server.start();
    },
  },
  {
    name: "kill the leader of a stream",
    to: "servers",
    cluster: true,
    async happen(world, { random, say }) {
      const stream = one(["events", "runs", "wakes"], random);
      const server = await world.leaderOf(stream).catch(() => undefined);
      if (server === undefined) return say(`${stream} has no leader now`);
      say(`kill ${server.name}, the leader of ${stream}`);
      await server.kill();
      await pause(1_000 + random(6_000));
      say(`start ${server.name}`);
      await server.start();
    },
  },
  {
    name: "pause a server",
    to: "servers",
    async happen({ servers }, { random, say }) {
      const server = one(servers, random);
      const ms = 500 + random(6_000);
      say(`pause ${server.name} for ${ms} ms`);
      server.pause();
      await pause(ms);
      server.resume();
    },
  },
  {
    name: "cut a connection",
    to: "hosts",
    async happen({ hosts, proxies }, { random, say }) {
      const index = random(hosts.length);
      say(`cut the connections of ${hosts[index]?.name}`);
      proxies[index]?.cut();
    },
  },
  {
    name: "keep a host off its server",
    to: "hosts",
    async happen({ hosts, proxies }, { random, say }) {
      const index = random(hosts.length);
      const ms = 500 + random(5_000);
      say(`keep ${hosts[index]?.name} off its server for ${ms} ms`);
      proxies[index]?.close();
      await pause(ms);
      proxies[index]?.mend();
    },
  },
  {
    name: "hold up a connection",
    to: "hosts",
    async happen({ hosts, proxies }, { random, say }) {
      const index = random(hosts.length);
      const ms = 500 + random(6_000);
      say(`let nothing through to ${hosts[index]?.name} for ${ms} ms`);
      proxies[index]?.halt();
      await pause(ms);
      proxies[index]?.mend();
    },
  },
  {
    name: "fill the store",
    to: "servers",
    async happen({ manager, prefix }, { random, say }) {
      const stream = `${prefix}-${one(["events", "runs"], random)}`;
      try {
        const { config, state } = await manager.streams.info(stream);
        say(`leave no room in ${stream}`);
        await manager.streams.update(stream, { ...config, max_bytes: state.bytes + 1 });
        await pause(500 + random(3_000));
      } catch (error) {
        say(`${stream} could not be filled: ${(error as Error).message}`);
      }
      await insist(async () => {
        const { config } = await manager.streams.info(stream);
        await manager.streams.update(stream, { ...config, max_bytes: -1 });
      });
      say(`${stream} has room again`);
    },
  },
];

function one<T>(of: readonly T[], random: Below): T {
  const found = of[random(of.length)];
  if (found === undefined) throw new Error("there is none to choose from");
  return found;
}
