import { countedRuns } from "./counted.ts";
import type { Figure } from "./figure.ts";
import { withFolder } from "./folder.ts";
import { measure, payload, type Queue, type Speed } from "./load.ts";
import { measureOnNats } from "./nats-steps.ts";
import { freePort } from "../free-port.ts";
import { needProgram, startProgram } from "./process.ts";
import { beside, rivalPackage, rivalVersion } from "./rivals.ts";
import { measureQuickJsStep } from "./sqlite-one-step-quickjs.ts";
import { measureOneStep } from "./sqlite-one-step.ts";
import { measureThreeSteps } from "./sqlite-three-steps.ts";

/** The part of BullMQ that is used here; its packages are installed when this bench first runs. */
interface BullMq {
  readonly Queue: new (
    name: string,
    options: object,
  ) => {
    add(name: string, data: object, options: object): Promise<Job>;
    close(): Promise<void>;
  };
  readonly FlowProducer: new (options: object) => {
    add(flow: object): Promise<{ readonly job: Job }>;
    close(): Promise<void>;
  };
  readonly Worker: new (name: string, processor: () => Promise<unknown>, options: object) => Closable;
  readonly QueueEvents: new (
    name: string,
    options: object,
  ) => Closable & { waitUntilReady(): Promise<unknown> };
}

interface Job {
  readonly name: string;
  waitUntilFinished(events: object): Promise<unknown>;
}

interface Closable {
  on(event: "completed", listener: (job: Job) => void): void;
  close(): Promise<void>;
}

/** Jobs that one worker has under way; higher values did not make it faster. */
const concurrency = 100;

/** Runs of ours beside jobs of BullMQ on Redis (appendonly yes, appendfsync everysec: its recommended persistence). */
export async function run(): Promise<readonly Figure[]> {
  const rival = {
    bench: "bullmq",
    against: "BullMQ on Redis, appendfsync everysec",
    oneStep: await measureBullMq(1),
    threeSteps: await measureBullMq(3),
    settings: `BullMQ ${rivalVersion("bullmq")}, Redis appendonly yes, appendfsync everysec, one worker with concurrency ${concurrency}; three steps are a flow of three jobs, each the child of the next`,
  };
  return beside(rival, [
    { name: "sqlite-one-step", steps: 1, speed: await measureOneStep() },
    { name: "sqlite-one-step-quickjs", steps: 1, speed: await measureQuickJsStep() },
    { name: "sqlite-three-steps", steps: 3, speed: await measureThreeSteps() },
    { name: "nats-one-step", steps: 1, speed: await measureOnNats(1) },
    { name: "nats-three-steps", steps: 3, speed: await measureOnNats(3) },
  ]);
}

/** Jobs of BullMQ, or flows of three jobs in sequence. */
export async function measureBullMq(steps: 1 | 3): Promise<Speed> {
  needProgram("redis-server", "redis-server");
  const bullmq = rivalPackage("bullmq") as BullMq;
  return withFolder(async (folder) => {
    const port = await freePort();
    const settings = ["--port", String(port), "--bind", "127.0.0.1", "--dir", folder];
    const durable = ["--appendonly", "yes", "--appendfsync", "everysec", "--save", ""];
    const redis = await startProgram(
      "redis-server",
      [...settings, ...durable],
      "Ready to accept connections",
    );
    try {
      const count = steps === 1 ? 10_000 : 4_000;
      return await withBullMq(bullmq, port, steps, (queue) =>
        measure(queue, { rounds: 3, count, samples: 500 }),
      );
    } finally {
      await redis.stop();
    }
  });
}

async function withBullMq<T>(
  bullmq: BullMq,
  port: number,
  steps: 1 | 3,
  use: (queue: Queue) => Promise<T>,
): Promise<T> {
  const connection = { host: "127.0.0.1", port, maxRetriesPerRequest: null };
  const queue = new bullmq.Queue("bench", { connection });
  const flows = new bullmq.FlowProducer({ connection });
  const events = new bullmq.QueueEvents("bench", { connection });
  await events.waitUntilReady();
  const worker = new bullmq.Worker("bench", async () => null, { connection, concurrency });
  const runs = countedRuns();
  worker.on("completed", ({ name }) => {
    if (name === "last") runs.one();
  });
  const add = async (n: number, removeOnComplete: boolean | number): Promise<Job> => {
    if (steps === 1) return queue.add("last", payload(n), { removeOnComplete });
    const job = (name: string, remove: boolean | number, children: readonly object[]) => ({
      name,
      queueName: "bench",
      data: payload(n),
      opts: { removeOnComplete: remove },
      children,
    });
    const first = job("first", true, []);
    const flow = await flows.add(job("last", removeOnComplete, [job("second", true, [first])]));
    return flow.job;
  };
  try {
    return await use({
      send: (n) => add(n, true),
      async roundTrip(n) {
        // Kept for a while: waiting for a job that is gone already would fail.
        const job = await add(n, 1_000);
        await job.waitUntilFinished(events);
      },
      finished: runs.more,
    });
  } finally {
    await worker.close();
    await events.close();
    await flows.close();
    await queue.close();
  }
}
