import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { jetstreamManager, StorageType } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { freePort } from "../../free-port.ts";

/** A nats-server of the tests, on a free port of the loopback, with a folder of its own. */
export interface NatsServer {
  readonly url: string;
  readonly port: number;
  readonly name: string;
  /** Ends it at once, as a crash would; start() then begins it again on the same folder and port. */
  kill(): Promise<void>;
  start(): Promise<void>;
  /** Stops it for a while without ending it. */
  pause(): void;
  resume(): void;
  /** Ends it and removes its folder. */
  stop(): Promise<void>;
}

export interface NatsServerOptions {
  /** More arguments, or those of a configuration file. */
  readonly args?: readonly string[];
  readonly port?: number;
  readonly name?: string;
  readonly jetstream?: boolean;
}

const readyLine = "Server is ready";

/** Starts a server and resolves when it takes connections. */
export async function startNatsServer(program: string, options: NatsServerOptions = {}): Promise<NatsServer> {
  const folder = await mkdtemp(join(tmpdir(), "millrace-nats-"));
  const port = options.port ?? (await freePort());
  const name = options.name ?? "single";
  const jetstream = options.jetstream === false ? [] : ["--jetstream", "--store_dir", folder];
  const args = [
    "--addr",
    "127.0.0.1",
    "--port",
    String(port),
    "--name",
    name,
    ...jetstream,
    ...(options.args ?? []),
  ];
  let child: ChildProcess | undefined;

  const start = async (): Promise<void> => {
    const started = spawn(program, args, { stdio: ["ignore", "ignore", "pipe"] });
    child = started;
    let log = "";
    await new Promise<void>((resolve, reject) => {
      started.stderr.setEncoding("utf8").on("data", (text: string) => {
        log = (log + text).slice(-20_000);
        if (log.includes(readyLine)) resolve();
      });
      started.once("exit", (code) => reject(new Error(`nats-server ended with ${code}:\n${log}`)));
      started.once("error", reject);
    });
  };
  const kill = async (): Promise<void> => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  };

  await start();
  return {
    url: `nats://127.0.0.1:${port}`,
    port,
    name,
    start,
    kill,
    pause: () => void child?.kill("SIGSTOP"),
    resume: () => void child?.kill("SIGCONT"),
    async stop() {
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A cluster of so many servers, all of which know each other. */
export async function startNatsCluster(program: string, size: number): Promise<readonly NatsServer[]> {
  const ports = await Promise.all(Array.from({ length: size }, freePort));
  const routes = ports.map((port) => `nats://127.0.0.1:${port}`).join(",");
  const servers = await Promise.all(
    ports.map((port, index) =>
      startNatsServer(program, {
        name: `node-${index + 1}`,
        args: [
          "--cluster",
          `nats://127.0.0.1:${port}`,
          "--cluster_name",
          "millrace-test",
          "--routes",
          routes,
        ],
      }),
    ),
  );
  await ready(servers);
  return servers;
}

/** A stream with a copy on each of them can be made only once the leader has heard of all. */
async function ready(servers: readonly NatsServer[]): Promise<void> {
  const client = await connect({ servers: servers.map(({ url }) => url) });
  try {
    for (let tries = 1; ; tries += 1) {
      try {
        const { streams } = await jetstreamManager(client, { timeout: 1_000 });
        await streams.add({ name: "ready", num_replicas: servers.length, storage: StorageType.Memory });
        await streams.delete("ready");
        return;
      } catch (error) {
        if (tries === 60) throw error;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  } finally {
    await client.close();
  }
}
