import { join } from "node:path";
import { countedRuns } from "./counted.ts";
import type { Figure } from "./figure.ts";
import { withFolder } from "./folder.ts";
import { isolated } from "./isolated.ts";
import { measure, payload, type Queue, type Speed } from "./load.ts";
import { measureOnNats } from "./nats-steps.ts";
import { freePort } from "../free-port.ts";
import { needGoProgram, startProgram } from "./process.ts";
import { beside, rivalPackage, rivalPath, rivalVersion } from "./rivals.ts";
import { measureOneStep } from "./sqlite-one-step.ts";
import { measureThreeSteps } from "./sqlite-three-steps.ts";

/** The parts of Temporal's SDK that are used here. */
interface WorkerPackage {
  readonly Runtime: { install(options: object): unknown };
  readonly DefaultLogger: new (level: "ERROR") => object;
  readonly NativeConnection: { connect(options: object): Promise<Closable> };
  readonly Worker: { create(options: object): Promise<Worker> };
}

interface ClientPackage {
  readonly Connection: { connect(options: object): Promise<Closable> };
  readonly Client: new (options: object) => {
    readonly workflow: Record<"start" | "execute", (type: string, options: object) => Promise<unknown>>;
  };
}

interface Worker {
  run(): Promise<void>;
  shutdown(): void;
}

interface Closable {
  close(): Promise<void>;
}

const command = "github.com/temporalio/cli/cmd/temporal";
/** Newer versions take a module of their own repository that is published nowhere, so that Go can not install them. */
const version = "v1.5.1";

/** Runs of ours beside workflows of Temporal's dev server, each step one activity. */
export async function run(): Promise<readonly Figure[]> {
  const rival = {
    bench: "temporal",
    against: "Temporal's dev server",
    oneStep: await measureTemporal(1),
    threeSteps: await measureTemporal(3),
    settings: `temporal ${version} server start-dev --headless, in memory as is its default, SDK ${rivalVersion("@temporalio/worker")}, one worker with the SDK's defaults`,
  };
  return beside(rival, [
    { name: "sqlite-one-step", steps: 1, speed: await measureOneStep() },
    { name: "sqlite-three-steps", steps: 3, speed: await measureThreeSteps() },
    { name: "nats-one-step", steps: 1, speed: await measureOnNats(1) },
    { name: "nats-three-steps", steps: 3, speed: await measureOnNats(3) },
  ]);
}

/** Workflows of this many activities in sequence. */
export function measureTemporal(steps: 1 | 3): Promise<Speed> {
  // Installed before it is cut off from the registry.
  needGoProgram(command, version);
  rivalVersion("@temporalio/worker");
  return isolated("temporal", steps);
}

/** The same, in this process. */
export function measureTemporalHere(steps: 1 | 3): Promise<Speed> {
  const program = needGoProgram(command, version);
  return withFolder(async (folder) => {
    const port = await freePort();
    const address = ["--ip", "127.0.0.1", "--port", String(port), "--headless"];
    const files = ["--env-file", join(folder, "temporal.yaml")];
    const server = await startProgram(
      program,
      ["server", "start-dev", ...address, ...files, "--disable-config-file", "--log-level", "never"],
      "Server:",
      { TEMPORAL_VERSION_CHECK_DISABLED: "1" },
    );
    try {
      return await withTemporal(steps, `127.0.0.1:${port}`, (queue) =>
        measure(queue, { rounds: 2, count: 300, samples: 100 }),
      );
    } finally {
      await server.stop();
    }
  });
}

async function withTemporal<T>(steps: 1 | 3, address: string, use: (queue: Queue) => Promise<T>): Promise<T> {
  const { Connection, Client } = rivalPackage("@temporalio/client") as ClientPackage;
  const native = await openWorker();
  const taskQueue = "bench";
  const runs = countedRuns();
  const workerConnection = await native.NativeConnection.connect({ address });
  const worker = await native.Worker.create({
    connection: workerConnection,
    taskQueue,
    workflowsPath: rivalPath("temporal-workflow.js"),
    activities: { step: async (input: unknown) => input },
    // Called with the workflow's last task; what is left is the server's record of it.
    sinks: { runs: { one: { fn: () => runs.one(), callDuringReplay: false } } },
  });
  const working = worker.run();
  const connection = await Connection.connect({ address });
  const { workflow } = new Client({ connection });
  let started = 0;
  const options = (n: number) => ({
    taskQueue,
    workflowId: `bench-${(started += 1)}`,
    args: [steps, payload(n)],
  });
  try {
    return await use({
      send: (n) => workflow.start("bench", options(n)),
      roundTrip: (n) => workflow.execute("bench", options(n)),
      finished: runs.more,
    });
  } finally {
    worker.shutdown();
    await working;
    await workerConnection.close();
    await connection.close();
  }
}

let opened: WorkerPackage | undefined;

/** The worker's package; its runtime can be installed once in a process. */
async function openWorker(): Promise<WorkerPackage> {
  if (opened !== undefined) return opened;
  const native = rivalPackage("@temporalio/worker") as WorkerPackage;
  native.Runtime.install({ logger: new native.DefaultLogger("ERROR") });
  opened = native;
  return native;
}
