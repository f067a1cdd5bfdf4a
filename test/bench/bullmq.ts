import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import type { Figure } from "./figure.ts";
import { withFolder } from "./folder.ts";
import { measure, payload, type Queue } from "./load.ts";
import { freePort, needProgram, startProgram } from "./process.ts";
import { measureQuickJsStep } from "./sqlite-one-step-quickjs.ts";
import { measureOneStep } from "./sqlite-one-step.ts";

/** The part of BullMQ that is used here; its packages are installed when this bench first runs. */
interface BullMq {
  readonly Queue: new (
    name: string,
    options: object,
  ) => {
    add(
      name: string,
      data: object,
      options: object,
    ): Promise<{ waitUntilFinished(events: object): Promise<unknown> }>;
    close(): Promise<void>;
  };
  readonly Worker: new (name: string, processor: () => Promise<unknown>, options: object) => Closable;
  readonly QueueEvents: new (
    name: string,
    options: object,
  ) => Closable & { waitUntilReady(): Promise<unknown> };
}

interface Closable {
  on(event: "completed", listener: () => void): void;
  close(): Promise<void>;
}

const rivals = new URL("rivals/", import.meta.url);
/** Jobs that one worker has under way; higher values did not make it faster. */
const concurrency = 100;

/** One-step runs of ours beside jobs of BullMQ on Redis (appendonly yes, appendfsync everysec: its recommended persistence). */
export async function run(): Promise<readonly Figure[]> {
  const theirs = await measureBullMq();
  const ours = await measureOneStep();
  const quickJs = await measureQuickJsStep();
  const against = "BullMQ on Redis, appendfsync everysec";
  const compare = (
    figure: string,
    unit: string,
    value: number,
    other: number,
    better: Figure["better"],
  ): Figure => ({
    bench: "bullmq",
    figure,
    value,
    unit,
    against: `${against}: ${other.toPrecision(3)} ${unit}`,
    ratio: value / other,
    better,
  });
  return [
    compare("sqlite-one-step throughput", "runs/s", ours.throughput, theirs.throughput, "higher"),
    compare("sqlite-one-step p50", "ms", ours.p50, theirs.p50, "lower"),
    compare("sqlite-one-step p99", "ms", ours.p99, theirs.p99, "lower"),
    compare("sqlite-one-step-quickjs throughput", "runs/s", quickJs.throughput, theirs.throughput, "higher"),
    compare("sqlite-one-step-quickjs p50", "ms", quickJs.p50, theirs.p50, "lower"),
    compare("sqlite-one-step-quickjs p99", "ms", quickJs.p99, theirs.p99, "lower"),
  ];
}

async function measureBullMq(): ReturnType<typeof measure> {
  needProgram("redis-server", "redis-server");
  install();
  const bullmq = createRequire(new URL("package.json", rivals))("bullmq") as BullMq;
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
      return await withBullMq(bullmq, port, (queue) =>
        measure(queue, { rounds: 3, count: 10_000, samples: 500 }),
      );
    } finally {
      await redis.stop();
    }
  });
}

async function withBullMq<T>(bullmq: BullMq, port: number, use: (queue: Queue) => Promise<T>): Promise<T> {
  const connection = { host: "127.0.0.1", port, maxRetriesPerRequest: null };
  const queue = new bullmq.Queue("bench", { connection });
  const events = new bullmq.QueueEvents("bench", { connection });
  await events.waitUntilReady();
  const worker = new bullmq.Worker("bench", async () => null, { connection, concurrency });
  let finishedJobs = 0;
  let wanted = Number.POSITIVE_INFINITY;
  let reached: (() => void) | undefined;
  worker.on("completed", () => {
    finishedJobs += 1;
    if (finishedJobs >= wanted) reached?.();
  });
  const send = (n: number) => queue.add("sent", payload(n), { removeOnComplete: true });
  try {
    return await use({
      send,
      async roundTrip(n) {
        // Without removeOnComplete: waiting for a job that is gone already would fail.
        const job = await queue.add("sent", payload(n), { removeOnComplete: 1_000 });
        await job.waitUntilFinished(events);
      },
      finished(count) {
        wanted = finishedJobs + count;
        return new Promise((resolve) => (reached = resolve));
      },
    });
  } finally {
    await worker.close();
    await events.close();
    await queue.close();
  }
}

function install(): void {
  if (existsSync(new URL("node_modules/bullmq", rivals))) return;
  const { status } = spawnSync("npm", ["ci"], {
    cwd: fileURLToPath(rivals),
    stdio: ["ignore", "ignore", "inherit"],
  });
  if (status !== 0) throw new Error("npm ci in test/bench/rivals failed");
}
