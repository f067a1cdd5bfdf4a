import type { FunctionDocument } from "../../host/function/document.ts";
import { functionVersion } from "../../host/function/define.ts";
import { createHost, runId, type Host, type HostConfig } from "../../host/index.ts";
import { inProcessDrivers } from "../host/in-process-driver.ts";
import { percentile } from "./figure.ts";

/** A queue under load: ours, or the one beside it. */
export interface Queue {
  /** Sends one event; resolves when it is durable as the queue promises. */
  send(n: number): Promise<unknown>;
  /** Sends one event; resolves when its run has finished. */
  roundTrip(n: number): Promise<unknown>;
  /** Resolves when `count` runs have finished since the call. */
  finished(count: number): Promise<void>;
}

/** What is measured of a queue: runs per second, and milliseconds from event to finished run. */
export interface Speed {
  readonly throughput: number;
  readonly p50: number;
  readonly p99: number;
}

/** How many sends are under way at once in a throughput measurement. */
const inFlight = 500;

/** Finished runs per second, from the first send to the last finish. */
export async function throughput(queue: Queue, count: number): Promise<number> {
  const all = queue.finished(count);
  const begun = performance.now();
  let sent = 0;
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      while (sent < count) await queue.send(sent++);
    }),
  );
  await all;
  return (count / (performance.now() - begun)) * 1_000;
}

/** Event to finished run, one at a time with a pause between them; sorted, in milliseconds. */
async function latencies(queue: Queue, count: number): Promise<readonly number[]> {
  const measured: number[] = [];
  for (let n = 0; n < count; n += 1) {
    const begun = performance.now();
    await queue.roundTrip(n);
    measured.push(performance.now() - begun);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  return measured.toSorted((a, b) => a - b);
}

/** The figures of one queue, the best of several rounds for throughput. */
export async function measure(
  queue: Queue,
  { rounds, count, samples }: { readonly rounds: number; readonly count: number; readonly samples: number },
): Promise<Speed> {
  let best = 0;
  for (let round = 0; round < rounds; round += 1) best = Math.max(best, await throughput(queue, count));
  const sorted = await latencies(queue, samples);
  return { throughput: best, p50: percentile(sorted, 0.5), p99: percentile(sorted, 0.99) };
}

/** The event that every queue is sent. */
export function payload(n: number): object {
  return { order: n, user: { id: "u1", email: "ada@example.com" }, items: [{ sku: "A-1", count: 2 }] };
}

/** A host whose only function has one step, and that host as a queue. */
export function oneStepHost(
  config: HostConfig,
  components: Readonly<Record<string, string>> = {},
): Promise<Queue & { readonly host: Host }> {
  return queueHost(config, "one-step", { only: {} }, { components });
}

/** The same with a document that says more, and events with more data. */
export function controlledHost(
  config: HostConfig,
  more: Partial<FunctionDocument>,
  data: (n: number) => object,
): Promise<Queue & { readonly host: Host }> {
  return queueHost(config, "one-step", { only: {} }, { more, data });
}

/** A host whose only function has three steps, each after the one before, and that host as a queue. */
export function threeStepsHost(config: HostConfig): Promise<Queue & { readonly host: Host }> {
  const steps = { first: {}, second: { after: [{ step: "first" }] }, third: { after: [{ step: "second" }] } };
  return queueHost(config, "three-steps", steps);
}

interface Controlled {
  readonly components?: Readonly<Record<string, string>>;
  readonly more?: Partial<FunctionDocument>;
  data?(n: number): object;
}

async function queueHost(
  config: HostConfig,
  id: string,
  steps: FunctionDocument["steps"],
  { components = {}, more = {}, data = () => ({}) }: Controlled = {},
): Promise<Queue & { readonly host: Host }> {
  const host = await createHost(config);
  const document = { id, triggers: [{ event: "bench/sent" }], steps, ...more };
  await host.deploy([functionVersion(document, components, 0)]);
  const send = (n: number) =>
    host.publish([{ name: "bench/sent", data: { ...payload(n), ...data(n) } as never }]);
  return {
    host,
    send,
    async roundTrip(n) {
      const [published] = await send(n);
      if (published === undefined) throw new Error("nothing was published");
      const run = await host.finished(runId(id, published.id));
      if (run.status !== "completed") throw new Error(`the run ended ${run.status}`);
    },
    finished(count) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      let left = count;
      const unsubscribe = host.live.subscribe((message) => {
        if (message.type !== "history") return;
        if (message.entry.type === "run.failed") reject(new Error(JSON.stringify(message.entry)));
        if (message.entry.type !== "run.completed" || --left > 0) return;
        unsubscribe();
        resolve();
      });
      return promise;
    },
  };
}

const nothing = () => null;

/** Drivers whose steps do nothing, so that what is measured is all but the driver. */
export const idleDrivers = inProcessDrivers({
  only: nothing,
  first: nothing,
  second: nothing,
  third: nothing,
});
