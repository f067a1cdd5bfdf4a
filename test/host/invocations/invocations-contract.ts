import { afterEach, describe, expect, test } from "vitest";
import { functionVersion } from "../../../host/function/define.ts";
import type { FunctionDocument } from "../../../host/function/document.ts";
import { createHost, runId, type Host } from "../../../host/index.ts";
import { until } from "../broker/broker-contract.ts";
import type { HostStore } from "../host-store.ts";
import { inProcessDrivers } from "../in-process-driver.ts";

const parent: FunctionDocument = {
  id: "parent",
  triggers: [{ event: "begin" }],
  steps: {
    tell: { capabilities: { emit: ["told/*"] } },
    call: { invoke: { function: "child", data: "output" }, after: [{ step: "tell" }] },
  },
};
const child: FunctionDocument = {
  id: "child",
  triggers: [{ event: "never" }],
  steps: { work: { after: [{ step: "$trigger", async: { event: "go/on", ttl: "1h" } }] } },
};
const listener: FunctionDocument = {
  id: "listener",
  triggers: [{ event: "told/you" }],
  steps: { listen: {} },
};

const drivers = () =>
  inProcessDrivers({
    tell: ({ event }) => ({ n: 1, emit: [{ name: "told/you", data: { of: event.id } }] }),
    work: ({ event }) => ({ got: event.data }),
    listen: ({ event }) => event.data,
  });

/** What holds for events that steps emit and functions that they invoke, on any store, over hosts that come and go. */
export function invocationsContract(
  name: string,
  install: () => Promise<HostStore>,
  survives: boolean,
): void {
  describe(`emitted events and invoked functions on ${name}`, () => {
    const cleanups: (() => Promise<unknown>)[] = [];
    afterEach(async () => {
      for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
    });
    const open = async ({ config }: HostStore): Promise<Host> => {
      const host = await createHost({ ...config, drivers: drivers() });
      cleanups.push(() => host.close());
      return host;
    };
    const installed = async (): Promise<HostStore> => {
      const installation = await install();
      cleanups.push(installation.dispose);
      return installation;
    };
    const runsOf = async (host: Host, functionId: string) =>
      (await host.runs.query({ limit: 9, functionId })).runs;
    const begin = async (host: Host): Promise<string> => {
      await host.deploy([parent, child, listener].map((one) => functionVersion(one, {}, 0)));
      await host.publish([{ id: "e1", name: "begin" }]);
      await until(async () => (await runsOf(host, "child"))[0]?.status === "parked");
      await until(async () => (await runsOf(host, "listener"))[0]?.status === "completed");
      return runId("parent", "e1");
    };
    const finish = async (host: Host, id: string): Promise<void> => {
      await host.publish([{ name: "go/on" }]);
      const run = await host.finished(id);
      expect(run.status).toBe("completed");
      expect(run.history).toContainEqual(
        expect.objectContaining({ type: "step.completed", step: "call", output: { got: { n: 1 } } }),
      );
      for (const of of ["child", "listener"]) {
        await until(async () => (await runsOf(host, of)).every(({ status }) => status === "completed"));
        expect(await runsOf(host, of)).toHaveLength(1);
      }
    };

    test("a step is parked for as long as the run that it invoked goes on", async () => {
      const host = await open(await installed());
      const id = await begin(host);
      await until(async () => (await host.runs.load(id))?.status === "parked");
      await finish(host, id);
    });

    test("a run that is cancelled has those cancelled that it invoked", async () => {
      const host = await open(await installed());
      const id = await begin(host);
      await host.commands.cancel(id);
      await until(async () => (await runsOf(host, "child"))[0]?.status === "cancelled");
      expect(await host.finished(id)).toMatchObject({ status: "cancelled" });
    });

    test.runIf(survives)("another host goes on with both runs", async () => {
      const installation = await installed();
      const first = await open(installation);
      const id = await begin(first);
      await first.close();
      await finish(await open(installation), id);
    });
  });
}
