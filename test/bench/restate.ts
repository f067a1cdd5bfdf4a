import { createServer, type Http2Server } from "node:http2";
import type { AddressInfo } from "node:net";
import { countedRuns } from "./counted.ts";
import type { Figure } from "./figure.ts";
import { withFolder } from "./folder.ts";
import { isolated } from "./isolated.ts";
import { measure, payload, type Queue, type Speed } from "./load.ts";
import { measureOnNats } from "./nats-steps.ts";
import { freePort } from "../free-port.ts";
import { startProgram } from "./process.ts";
import { beside, rivalPackage, rivalPath, rivalVersion } from "./rivals.ts";
import { measureOneStep } from "./sqlite-one-step.ts";
import { measureThreeSteps } from "./sqlite-three-steps.ts";

/** The part of Restate's SDK and client that is used here. */
interface Sdk {
  service(definition: {
    readonly name: string;
    readonly handlers: Readonly<Record<string, (context: Context, event: object) => Promise<unknown>>>;
  }): object;
  createEndpointHandler(options: {
    readonly services: readonly object[];
    readonly logger: () => void;
  }): NonNullable<Parameters<typeof createServer>[1]>;
}

interface Context {
  run(name: string, action: () => unknown): Promise<unknown>;
}

type Client = Record<"run", (event: object) => Promise<unknown>>;

interface Clients {
  connect(options: { readonly url: string }): {
    serviceClient(service: { readonly name: string }): Client;
    serviceSendClient(service: { readonly name: string }): Client;
  };
}

/** Runs of ours beside invocations of Restate's server, each step one `ctx.run`. */
export async function run(): Promise<readonly Figure[]> {
  const rival = {
    bench: "restate",
    against: "Restate",
    oneStep: await measureRestate(1),
    threeSteps: await measureRestate(3),
    settings: `restate-server ${rivalVersion("@restatedev/restate-server")}, SDK ${rivalVersion("@restatedev/restate-sdk")}, one node with the server's defaults (log in RocksDB with fsync, 24 partitions, 1,000 invocations at once), one endpoint over HTTP/2`,
  };
  return beside(rival, [
    { name: "sqlite-one-step", steps: 1, speed: await measureOneStep() },
    { name: "sqlite-three-steps", steps: 3, speed: await measureThreeSteps() },
    { name: "nats-one-step", steps: 1, speed: await measureOnNats(1) },
    { name: "nats-three-steps", steps: 3, speed: await measureOnNats(3) },
  ]);
}

const binary = `@restatedev/restate-server-${process.platform}-${process.arch}`;

/** Invocations of a Restate service whose handler runs this many steps in sequence. */
export function measureRestate(steps: 1 | 3): Promise<Speed> {
  // Installed before it is cut off from the registry.
  rivalVersion(binary);
  return isolated("restate", steps);
}

/** The same, in this process. */
export function measureRestateHere(steps: 1 | 3): Promise<Speed> {
  return withFolder(async (folder) => {
    const [node, admin, ingress] = [await freePort(), await freePort(), await freePort()];
    const server = await startProgram(
      rivalPath(`node_modules/${binary}/bin/restate-server`),
      ["--no-logo", "--node-name", "bench", "--base-dir", folder],
      "Restate Server",
      {
        RESTATE_BIND_IP: "127.0.0.1",
        RESTATE_LISTEN_MODE: "tcp",
        RESTATE_ADVERTISED_HOST: "127.0.0.1",
        RESTATE_BIND_PORT: String(node),
        RESTATE_ADMIN__BIND_PORT: String(admin),
        RESTATE_INGRESS__BIND_PORT: String(ingress),
        RESTATE_DISABLE_TELEMETRY: "true",
        DO_NOT_TRACK: "1",
      },
    );
    try {
      return await withRestate(steps, admin, ingress, (queue) =>
        measure(queue, { rounds: 3, count: 2_000, samples: 300 }),
      );
    } finally {
      await server.stop();
    }
  });
}

async function withRestate<T>(
  steps: 1 | 3,
  admin: number,
  ingress: number,
  use: (queue: Queue) => Promise<T>,
): Promise<T> {
  const sdk = rivalPackage("@restatedev/restate-sdk") as Sdk;
  const clients = rivalPackage("@restatedev/restate-sdk-clients") as Clients;
  const runs = countedRuns();
  const service = sdk.service({
    name: "bench",
    handlers: {
      async run(context) {
        for (let step = 0; step < steps; step += 1) await context.run(`step-${step}`, () => null);
        // What is left is the record of the handler's end: within a round that is one record of thousands.
        runs.one();
        return null;
      },
    },
  });
  const endpoint = createServer({}, sdk.createEndpointHandler({ services: [service], logger: () => {} }));
  await new Promise<void>((resolve) => endpoint.listen(0, "127.0.0.1", resolve));
  try {
    await register(admin, endpoint);
    const client = clients.connect({ url: `http://127.0.0.1:${ingress}` });
    const [call, send] = [
      client.serviceClient({ name: "bench" }),
      client.serviceSendClient({ name: "bench" }),
    ];
    // The ingress learns of a new service a moment later.
    await eventually(() => call.run(payload(0)));
    return await use({
      send: (n) => send.run(payload(n)),
      roundTrip: (n) => call.run(payload(n)),
      finished: runs.more,
    });
  } finally {
    endpoint.close();
  }
}

async function register(admin: number, endpoint: Http2Server): Promise<void> {
  const uri = `http://127.0.0.1:${(endpoint.address() as AddressInfo).port}`;
  await eventually(async () => {
    const response = await fetch(`http://127.0.0.1:${admin}/deployments`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ uri }),
    });
    if (!response.ok) throw new Error(`Restate answered ${response.status}: ${await response.text()}`);
  });
}

/** Tries until it works, for a minute. */
async function eventually(attempt: () => Promise<unknown>): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    try {
      await attempt();
      return;
    } catch (error) {
      if (tries === 300) throw error;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}
