import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { homedir, tmpdir } from "node:os";
import { delimiter, join } from "node:path";

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

const goModule = "github.com/nats-io/nats-server/v2";
const version = "v2.15.2";
const readyLine = "Server is ready";

/**
 * The program: on PATH, or built from its Go module into a cache outside the project. With CI set a missing one is an
 * error, otherwise undefined.
 */
export function findNatsServer(): string | undefined {
  for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
    const program = join(folder, "nats-server");
    if (folder !== "" && existsSync(program) && isNewEnough(program)) return program;
  }
  const cache = join(
    process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"),
    "millrace",
    "nats-server",
    version,
  );
  const built = join(cache, "nats-server");
  if (existsSync(built)) return built;
  mkdirSync(cache, { recursive: true });
  const { status, error } = spawnSync("go", ["install", `${goModule}@${version}`], {
    env: { ...process.env, GOBIN: cache, GOFLAGS: "" },
    stdio: ["ignore", "ignore", "inherit"],
  });
  if (status === 0) return built;
  const why = error === undefined ? `go install ended with ${status}` : "there is no Go to build it with";
  const message = `nats-server ≥ 2.12 is not on PATH, and ${why}: install either, such as \`apt-get install golang-go\`.`;
  if (process.env["CI"] === "true") throw new Error(message);
  console.warn(`\n${message}\nTHE TESTS THAT NEED IT ARE SKIPPED.\n`);
  return undefined;
}

function isNewEnough(program: string): boolean {
  const { stdout } = spawnSync(program, ["--version"], { encoding: "utf8" });
  const [major = 0, minor = 0] = (/v(?<major>\d+)\.(?<minor>\d+)/.exec(stdout)?.slice(1) ?? []).map(Number);
  return major > 2 || (major === 2 && minor >= 12);
}

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

/** A cluster of so many servers. */
export async function startNatsCluster(program: string, size: number): Promise<readonly NatsServer[]> {
  const ports = await Promise.all(Array.from({ length: size }, freePort));
  const routes = ports.map((port) => `nats://127.0.0.1:${port}`).join(",");
  return Promise.all(
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
}

/** A port that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
