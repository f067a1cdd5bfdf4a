import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { functionVersion } from "../../../host/function/define.ts";
import type { FunctionDocument } from "../../../host/function/document.ts";
import { createHost, type Host } from "../../../host/index.ts";
import type { StoredRun } from "../../../host/state/state.ts";
import { until } from "../broker/broker-contract.ts";
import { inProcessDrivers } from "../in-process-driver.ts";
import { findNatsServer } from "./find-server.ts";
import { startNatsServer, type NatsServer } from "./server.ts";

const program = findNatsServer();

describe.skipIf(program === undefined)("three hosts on one NATS store", () => {
  let server: NatsServer;
  let installations = 0;
  const hosts: Host[] = [];
  beforeAll(async () => {
    server = await startNatsServer(program ?? "");
  });
  afterAll(() => server.stop());
  afterEach(async () => {
    for (const host of hosts.splice(0)) await host.close();
  });

  /** Three hosts that have the function. */
  const start = async (parts: Partial<FunctionDocument>): Promise<void> => {
    const prefix = `collect-hosts${(installations += 1)}`;
    for (const name of ["h1", "h2", "h3"]) {
      const drivers = inProcessDrivers({ a: ({ events, event }) => (events ?? [event]).map(({ id }) => id) });
      hosts.push(await createHost({ store: server.url, name, nats: { prefix, leaseMs: 2_000 }, drivers }));
    }
    const document = { id: "f", triggers: [{ event: "a/b" }], steps: { a: {} }, ...parts };
    await hosts[0]!.deploy([functionVersion(document, {}, 0)]);
    await until(() => hosts.every((host) => host.functions().length === 1));
  };
  const runs = async (): Promise<readonly StoredRun[]> => {
    const all: StoredRun[] = [];
    for (let cursor: string | undefined; ;) {
      const page = await hosts[0]!.runs.query({ limit: 100, ...(cursor === undefined ? {} : { cursor }) });
      for (const { id } of page.runs) all.push((await hosts[0]!.runs.load(id))!);
      if (page.next === undefined) return all;
      cursor = page.next;
    }
  };
  const outputs = (run: StoredRun): readonly string[] =>
    run.history.flatMap((entry) => (entry.type === "step.completed" ? (entry.output as string[]) : []));

  test("collect each event in exactly one batch, none too large, while one of them stops", async () => {
    await start({ batch: { maxSize: 20, timeout: "2s", key: "data.k" } });
    const ids: string[] = [];
    for (let i = 0; i < 30; i += 1) {
      const events = Array.from({ length: 10 }, (_, n) => ({ name: "a/b", data: { k: n % 2 } }));
      const host = hosts[i % hosts.length]!;
      ids.push(...(await host.publish(events)).map(({ id }) => id));
      if (i === 15) await hosts.pop()!.close();
    }
    await until(async () => {
      const all = await runs();
      const completed = all.filter(({ status }) => status === "completed");
      return completed.flatMap(outputs).length >= ids.length && completed.length === all.length;
    });
    const batches = (await runs()).map(outputs);
    expect(batches.flat().toSorted()).toEqual(ids.toSorted());
    expect(Math.max(...batches.map(({ length }) => length))).toBeLessThanOrEqual(20);
    expect(batches.length).toBeLessThan(ids.length / 5);
  });

  test("put one run off together, and begin it with the last event", async () => {
    await start({ debounce: { period: "1s" } });
    const ids: string[] = [];
    for (let i = 0; i < 30; i += 1) {
      ids.push((await hosts[i % 3]!.publish([{ name: "a/b", data: {} }]))[0]!.id);
      await new Promise((resolve) => void setTimeout(resolve, 20));
    }
    await until(async () => (await runs()).some(({ status }) => status === "completed"));
    const [run, ...others] = await runs();
    expect([outputs(run!), others]).toEqual([[ids.at(-1)], []]);
  });
});
