import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { jetstreamManager, type JetStreamManager } from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import type { NatsOptions } from "../../host/nats/options.ts";
import type { RuntimeName } from "../../runtime/driver.ts";
import { startNatsCluster, startNatsServer, type NatsServer } from "../host/nats/server.ts";
import { check, type Findings } from "./checker.ts";
import type { EventName } from "./functions.ts";
import { createHostControl, type HostControl } from "./host-control.ts";
import { startProxy, type Proxy } from "./proxy.ts";

/** Servers, hosts in processes of their own with a proxy each, and a client past them: what faults are done to. */
export interface World {
  readonly servers: readonly NatsServer[];
  readonly hosts: readonly HostControl[];
  /** By host: all its connections go through it. */
  readonly proxies: readonly Proxy[];
  readonly client: NatsConnection;
  readonly manager: JetStreamManager;
  readonly prefix: string;
  readonly leaseMs: number;
  /** The server that leads a stream ("events", "runs", …); the only one where there is one. */
  leaderOf(stream: string): Promise<NatsServer | undefined>;
  /** The executions of steps so far, as they began. */
  executions(): Promise<readonly Executed[]>;
  /** Mends everything, and holds what is stored to what was acknowledged. */
  settle(acknowledged: ReadonlyMap<string, EventName>): Promise<Findings>;
  /** Ends all of it. */
  stop(): Promise<void>;
}

interface Executed {
  readonly runId: string;
  readonly stepId: string;
  readonly attempt: number;
  readonly host: string;
}

export interface WorldOptions {
  readonly program: string;
  /** 1, or 3 for a cluster with as many copies. */
  readonly servers: number;
  readonly hosts: number;
  readonly leaseMs?: number;
  /** By host; 200 by default. */
  readonly maxRuns?: readonly number[];
  readonly slowMs?: number;
  readonly nats?: NatsOptions;
  /** Text of the single server's configuration. */
  readonly serverConfig?: string;
}

/** How long nothing may finish before what is unfinished counts as stuck, in milliseconds. */
const patienceMs = 45_000;

/**
 * A killed server has lost nothing that it acknowledged, whatever its sync_interval: what it wrote is with the operating
 * system, which was not killed. Only the loss of the machine would show a difference.
 */
export async function startWorld(options: WorldOptions): Promise<World> {
  const { program, leaseMs = 1_500, slowMs = 2 * leaseMs, maxRuns = [] } = options;
  const prefix = "chaos";
  const folder = await mkdtemp(join(tmpdir(), "millrace-chaos-"));
  const executions = join(folder, "executions");
  await writeFile(executions, "");
  const configuration = join(folder, "nats-server.conf");
  await writeFile(configuration, options.serverConfig ?? "");
  const servers =
    options.servers === 1
      ? [await startNatsServer(program, { args: ["--config", configuration] })]
      : await startNatsCluster(program, options.servers);
  const urls = servers.map(({ url }) => url);
  const client = await connect({
    servers: urls,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 100,
    // Its server may be the one that is paused: by default it would stay with it for minutes.
    pingInterval: 1_000,
    maxPingOut: 2,
  });
  const manager = await jetstreamManager(client, { timeout: 5_000 });
  const proxies: Proxy[] = [];
  const hosts: HostControl[] = [];

  for (let i = 0; i < options.hosts; i += 1) {
    const near = servers[i % servers.length];
    if (near === undefined) throw new Error("there is no server");
    const proxy = await startProxy(near.port);
    proxies.push(proxy);
    // The other servers directly: a host whose way is cut finds another one, where there is one.
    const others = urls.filter((url) => url !== near.url);
    const runtimes: RuntimeName[] = i === 0 ? ["wasm", "http"] : ["wasm"];
    hosts.push(
      createHostControl({
        store: [`nats://127.0.0.1:${proxy.port}`, ...others].join(","),
        name: `host-${i + 1}`,
        nats: { prefix, leaseMs, replicas: servers.length, ...options.nats },
        runtimes,
        maxRuns: maxRuns[i] ?? 200,
        slowMs,
        executions,
        deploy: i === 0,
      }),
    );
  }
  // The first one deploys before anyone takes an event.
  for (const host of hosts) await host.start();

  return {
    servers,
    hosts,
    proxies,
    client,
    manager,
    prefix,
    leaseMs,
    async leaderOf(stream) {
      if (servers.length === 1) return servers[0];
      const { cluster } = await manager.streams.info(`${prefix}-${stream}`);
      return servers.find(({ name }) => name === cluster?.leader);
    },
    async executions() {
      const lines = (await readFile(executions, "utf8")).split("\n").slice(0, -1);
      return lines.map((line) => {
        const [runId = "", stepId = "", attempt, host = ""] = line.split(" ");
        return { runId, stepId, attempt: Number(attempt), host };
      });
    },
    async settle(acknowledged) {
      for (const proxy of proxies) proxy.mend();
      const url = urls.join(",");
      return check({ url, prefix, acknowledged, executions, patienceMs });
    },
    async stop() {
      for (const host of hosts) await host.kill();
      for (const proxy of proxies) await proxy.stop();
      await client.close();
      for (const server of servers) await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
