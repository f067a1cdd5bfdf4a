import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Driver, RuntimeName } from "../../../runtime/driver.ts";
import { functionVersion } from "../../../host/function/define.ts";
import type { FunctionDocument } from "../../../host/function/document.ts";
import { createHost, runId, type Host } from "../../../host/index.ts";
import type { StoredRun } from "../../../host/state/state.ts";
import { until } from "../broker/broker-contract.ts";
import { Failure, inProcessDrivers, type Program } from "../in-process-driver.ts";
import { findNatsServer } from "./find-server.ts";
import { startNatsServer, type NatsServer } from "./server.ts";

const program = findNatsServer();

describe.skipIf(program === undefined)("hosts on one NATS store", () => {
  let server: NatsServer;
  let installations = 0;
  const hosts: Host[] = [];
  beforeAll(async () => {
    server = await startNatsServer(program ?? "");
  });
  afterAll(() => server.stop());
  afterEach(async () => {
    installations += 1;
    for (const host of hosts.splice(0)) await host.close();
  });

  const start = async (
    name: string,
    programs: Readonly<Record<string, Program>>,
    { runtime = "wasm", leaseMs = 2_000, maxRuns = 100, graceMs = 0 }: Partial<StartOptions> = {},
  ): Promise<Host> => {
    const nats = { prefix: `hosts${installations}`, leaseMs };
    const drivers = driversOf(runtime, programs);
    const host = await createHost({ store: server.url, name, nats, drivers, maxRuns, graceMs });
    hosts.push(host);
    return host;
  };
  const finished = async (on: Host, eventId: string, functionId = "f"): Promise<StoredRun> =>
    on.finished(runId(functionId, eventId));

  test("share the runs, and each hears of the end of all of them", async () => {
    const doneBy = new Map<string, string>();
    const by = (name: string): Record<string, Program> => ({
      a: ({ ctx }) => {
        doneBy.set(ctx.runId, name);
        return null;
      },
    });
    const first = await start("h1", by("h1"), { maxRuns: 1 });
    const second = await start("h2", by("h2"), { maxRuns: 1 });
    await first.deploy([version({ steps: { a: {} } })]);
    await until(() => second.functions().length === 1);
    const ids = Array.from({ length: 60 }, (_, i) => `e${i}`);
    await first.publish(ids.map((id) => ({ id, name: "a/b" })));
    for (const id of ids) expect((await finished(first, id)).status).toBe("completed");
    expect(doneBy.size).toBe(60);
    expect(new Set(doneBy.values())).toEqual(new Set(["h1", "h2"]));
  });

  test("run a schedule's function once for each of its times", async () => {
    const seen: string[] = [];
    const programs: Record<string, Program> = {
      a: ({ event }) => (seen.push((event.data as { readonly scheduledAt: string }).scheduledAt), null),
    };
    const on = await start("h1", programs);
    for (const name of ["h2", "h3"]) await start(name, programs);
    const document: FunctionDocument = {
      id: "f",
      triggers: [{ cron: "* * * * * *", missed: "all" }],
      steps: { a: {} },
    };
    await on.deploy([functionVersion(document, {}, Date.now())]);
    await until(() => seen.length >= 4);
    await on.remove("f");
    const times = seen.map((time) => Date.parse(time)).toSorted((a, b) => a - b);
    expect(new Set(times).size).toBe(times.length);
    expect(times.map((time) => time - (times[0] ?? 0))).toEqual(times.map((_, n) => n * 1_000));
  });

  test("take up each other's functions, schemas and removals at once", async () => {
    const first = await start("h1", { a: () => 1 });
    const second = await start("h2", { a: () => 1 });
    await first.deploy([version({ steps: { a: {} } })]);
    await until(() => second.functions().length === 1);
    await first.addEventSchemas({ "a/b": { type: "object", required: ["n"] } });
    await until(async () => {
      const refused = await second.publish([{ name: "a/b", data: {} }]).catch((error: unknown) => error);
      return (refused as { code?: string }).code === "ERR_EVENT_INVALID";
    });
    await first.remove("f");
    await until(() => second.functions().length === 0);
  });

  test("miss no event that is published right after a function was deployed, whichever of them takes it", async () => {
    const on = await Promise.all(
      ["h1", "h2", "h3"].map((name) => start(name, { a: () => 1 }, { maxRuns: 2 })),
    );
    const ids: string[] = [];
    for (let i = 0; i < 30; i += 1) {
      const deployer = on[i % 3]!;
      await deployer.deploy([version({ steps: { a: {} } }, `f${i}`, `made/${i}`)]);
      const sent = await deployer.publish([{ name: `made/${i}` }, { name: `made/${i}` }]);
      ids.push(...sent.map(({ id }) => runId(`f${i}`, id)));
    }
    for (const id of ids) expect((await on[0]!.finished(id)).status).toBe("completed");
  });

  test("hand a step over to a host that has its runtime, and the rest goes on there or comes back", async () => {
    const ran: string[] = [];
    const note =
      (host: string) =>
      ({ ctx }: Parameters<Program>[0]) => (ran.push(`${ctx.stepId}@${host}`), ctx.stepId);
    const programs = (host: string) => ({ a: note(host), b: note(host), c: note(host) });
    const wasm = await start("h1", programs("wasm"));
    await wasm.deploy([
      version({
        steps: {
          a: {},
          b: { after: [{ step: "a" }], runtime: { type: "http" } },
          c: { after: [{ step: "b" }] },
        },
      }),
    ]);
    await wasm.publish([{ id: "e1", name: "a/b" }]);
    await until(async () => (await wasm.runs.load(runId("f", "e1")))?.status === "parked");
    expect(ran).toEqual(["a@wasm"]);
    expect((await wasm.runs.query({ limit: 1 })).runs[0]?.waitsFor).toBe("a host with runtime http");
    await start("h2", programs("http"), { runtime: "http" });
    const run = await finished(wasm, "e1");
    expect(run.status).toBe("completed");
    expect(ran).toEqual(["a@wasm", "b@http", "c@wasm"]);
  });

  test("keep the lease of a step that takes longer than it", async () => {
    let executions = 0;
    const slow = async () => {
      executions += 1;
      await new Promise((resolve) => setTimeout(resolve, 3_500));
      return "done";
    };
    const first = await start("h1", { a: slow }, { leaseMs: 1_000 });
    await start("h2", { a: slow }, { leaseMs: 1_000 });
    await first.deploy([version({ steps: { a: {} } })]);
    await first.publish([{ id: "e1", name: "a/b" }]);
    expect((await finished(first, "e1")).status).toBe("completed");
    expect(executions).toBe(1);
  });

  test("hand back at once what they can't finish when they stop", async () => {
    const first = await start("h1", { a: untilCutOff }, { leaseMs: 60_000 });
    await first.deploy([version({ steps: { a: {} } })]);
    await first.publish([{ id: "e1", name: "a/b" }]);
    await until(async () => (await first.runs.load(runId("f", "e1"))) !== undefined);
    const second = await start("h2", { a: () => "second" }, { leaseMs: 60_000 });
    await hosts.shift()?.close();
    expect((await finished(second, "e1")).history.at(-2)).toMatchObject({ output: "second", attempt: 1 });
  });

  test("wake parked runs when it is time, never early, also after all of them were gone", async () => {
    const steps = { a: {}, b: { after: [{ step: "a", wait: "3s" }] } };
    const programs = { a: () => 1, b: ({ ctx }: Parameters<Program>[0]) => ctx.deadline };
    const first = await start("h1", programs);
    await first.deploy([version({ steps })]);
    await first.publish([{ id: "e1", name: "a/b" }]);
    const id = runId("f", "e1");
    await until(async () => (await first.runs.load(id))?.status === "parked");
    const parked = (await first.runs.load(id))!;
    await hosts.shift()?.close();
    const second = await start("h2", programs);
    const { history } = await finished(second, "e1");
    const b = history.find((entry) => entry.type === "step.completed" && entry.step === "b");
    expect(b).toBeDefined();
    expect(b?.type === "step.completed" && b.startedAt).toBeGreaterThanOrEqual(parked.wakeAt!);
  });

  test("try a step again without parking the run for a short while, and park it for a longer one", async () => {
    let attempts = 0;
    const flaky: Program = () => {
      attempts += 1;
      if (attempts < 3) throw new Failure({ message: "not yet" });
      return attempts;
    };
    const on = await start("h1", { a: flaky });
    const retry = { retries: 5, backoff: { initial: "50ms", factor: 30, jitter: 0 } };
    await on.deploy([version({ steps: { a: { retry } } })]);
    await on.publish([{ id: "e1", name: "a/b" }]);
    const run = await finished(on, "e1");
    expect(run.history.map((entry) => entry.type)).toEqual([
      "run.started",
      "step.failed",
      "step.failed",
      "step.completed",
      "run.completed",
    ]);
  });

  test("keep an output that is larger than the server's largest message", async () => {
    const large = "ü".repeat(900_000);
    const on = await start("h1", { a: () => large, b: ({ steps }) => (steps["a"] as string).length });
    await on.deploy([
      version({ steps: { a: { limits: { output: "4MiB" } }, b: { after: [{ step: "a" }] } } }),
    ]);
    await on.publish([{ id: "e1", name: "a/b" }]);
    const run = await finished(on, "e1");
    expect(run.history.at(-2)).toMatchObject({ output: 900_000 });
    expect(run.history.find((entry) => entry.type === "step.completed")).toMatchObject({ output: large });
  });
});

interface StartOptions {
  readonly runtime: RuntimeName;
  readonly leaseMs: number;
  readonly maxRuns: number;
  readonly graceMs: number;
}

function version(document: Pick<FunctionDocument, "steps">, id = "f", event = "a/b") {
  return functionVersion({ id, triggers: [{ event }], ...document }, {}, 0);
}

/** Ends when the host cuts it off. */
const untilCutOff: Program = (_, signal) =>
  new Promise((_resolve, reject) => {
    signal?.addEventListener("abort", () => reject(new Failure({ code: "ERR_STEP_CANCELLED" })));
  });

/** The programs behind the name of one runtime; what else they are makes no difference to a host. */
function driversOf(
  runtime: RuntimeName,
  programs: Readonly<Record<string, Program>>,
): ReadonlyMap<RuntimeName, Driver> {
  const drivers = new Map<RuntimeName, Driver>();
  for (const driver of inProcessDrivers(programs).values())
    drivers.set(runtime, { ...driver, name: runtime });
  return drivers;
}
