import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "../../../host/clock.ts";
import { functionVersion } from "../../../host/function/define.ts";
import type { EdgeDocument, FunctionDocument } from "../../../host/function/document.ts";
import { createHost, runId, type Host } from "../../../host/index.ts";
import { openSession } from "../../../host/nats/session.ts";
import { until } from "../broker/broker-contract.ts";
import { inProcessDrivers, type Program } from "../in-process-driver.ts";
import { findNatsServer } from "./find-server.ts";
import { startNatsServer, type NatsServer } from "./server.ts";

const program = findNatsServer();

describe.skipIf(program === undefined)("three hosts on one NATS store", () => {
  let server: NatsServer;
  let prefix = "";
  let installations = 0;
  const hosts: Host[] = [];
  beforeAll(async () => {
    server = await startNatsServer(program ?? "");
  });
  afterAll(() => server.stop());
  afterEach(async () => {
    for (const host of hosts.splice(0)) await host.close();
  });

  const start = async (programs: Readonly<Record<string, Program>>, steps: FunctionDocument["steps"]) => {
    prefix = `waits-hosts${(installations += 1)}`;
    for (const name of ["h1", "h2", "h3"]) {
      const nats = { prefix, leaseMs: 2_000 };
      hosts.push(await createHost({ store: server.url, name, nats, drivers: inProcessDrivers(programs) }));
    }
    await hosts[0]!.deploy([functionVersion({ id: "f", triggers: [{ event: "begun" }], steps }, {}, 0)]);
    await until(() => hosts.every((host) => host.functions().length === 1));
  };
  const on = (n: number): Host => hosts[n % hosts.length]!;
  const matched = async (id: string): Promise<readonly string[]> => {
    const run = await hosts[0]!.runs.load(id);
    return run!.history.flatMap((entry) => (entry.type === "wait.matched" ? [entry.event.id] : []));
  };
  /** Armed waits, as the server keeps them. */
  const armed = async (): Promise<number> => {
    const session = await openSession(server.url, { prefix, name: "looker", clock: systemClock });
    const { manager, names } = session;
    const filter = { subjects_filter: names.wait("*", "*", "*") };
    const { state } = await manager.streams.info(names.waits.stream, filter);
    await session.close();
    return Object.keys(state.subjects ?? {}).length;
  };
  const waitFor = (event: string): EdgeDocument => ({
    step: "a",
    async: { event, ttl: "1h", match: "async.data.n == event.data.n" },
  });
  const later = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms));

  test("miss no event, be it stored before the wait was armed, meanwhile, or after, and whoever takes it", async () => {
    // The step before the wait ends at another moment in each run, from long before its event to long after.
    await start(
      {
        a: async ({ event }) => (await later((event.data as { readonly takes: number }).takes), null),
        b: ({ async }) => async!.id,
      },
      { a: {}, b: { after: [waitFor("came")] } },
    );
    const runs = Array.from({ length: 90 }, async (_, n) => {
      const [begun] = await on(n).publish([{ name: "begun", data: { n, takes: n } }]);
      await later(45);
      const [came] = await on(n + 1).publish([{ name: "came", data: { n } }]);
      const id = runId("f", begun!.id);
      expect((await on(n + 2).finished(id)).status).toBe("completed");
      expect(await matched(id)).toEqual([came!.id]);
    });
    await Promise.all(runs);
    await until(async () => (await armed()) === 0);
  });

  test("give a step that takes any of two events one of them, and wait for the other no longer", async () => {
    const seen = new Map<string, string[]>();
    const note: Program = ({ ctx, async }) => {
      seen.set(ctx.runId, [...(seen.get(ctx.runId) ?? []), async!.id]);
      return null;
    };
    await start(
      { a: () => null, b: note },
      { a: {}, b: { join: "any", after: [waitFor("x"), waitFor("y")] } },
    );
    const ids = await Promise.all(
      Array.from({ length: 60 }, async (_, n) => {
        const [begun] = await on(n).publish([{ name: "begun", data: { n } }]);
        return runId("f", begun!.id);
      }),
    );
    await until(async () => (await armed()) === 120);
    await Promise.all(
      ids.flatMap((_, n) => ["x", "y"].map((name, i) => on(n + i).publish([{ name, data: { n } }]))),
    );
    for (const id of ids) {
      const run = await hosts[0]!.finished(id);
      const became = run.history.flatMap((entry) => ("wait" in entry ? [entry.type] : []));
      expect(became.toSorted()).toEqual(["wait.armed", "wait.armed", "wait.cancelled", "wait.matched"]);
      expect(seen.get(id)).toEqual(await matched(id));
    }
    await until(async () => (await armed()) === 0);
  });
});
