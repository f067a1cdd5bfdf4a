import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import type { StepInput } from "../../../runtime/input.ts";
import type { FunctionDocument } from "../../../host/function/document.ts";
import { functionVersion } from "../../../host/function/define.ts";
import { createHost, runId, type Host, type HostConfig } from "../../../host/index.ts";
import type { StoredRun } from "../../../host/state/state.ts";
import { until } from "../broker/broker-contract.ts";
import { Failure, inProcessDrivers, type Program } from "../in-process-driver.ts";

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function host(
  programs: Readonly<Record<string, Program>>,
  config: Partial<HostConfig> = {},
): Promise<Host> {
  const created = await createHost({ store: "memory:", drivers: inProcessDrivers(programs), ...config });
  cleanups.push(() => created.close());
  return created;
}

async function storeFile(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "millrace-executor-"));
  cleanups.push(() => rm(folder, { recursive: true }));
  return `sqlite:${join(folder, "store.db")}`;
}

type Steps = FunctionDocument["steps"];

async function deploy(to: Host, steps: Steps, more: Partial<FunctionDocument> = {}): Promise<void> {
  const document = { id: "f", triggers: [{ event: "a/b" }], steps, ...more };
  await to.deploy([functionVersion(document, {}, 0)]);
}

/** Publishes one event and resolves with the finished run of function `f`. */
async function runOnce(on: Host, event: object = {}): Promise<StoredRun> {
  const [published] = await on.publish([{ name: "a/b", ...event }]);
  return on.finished(runId("f", published!.id));
}

function outputs(run: StoredRun): Record<string, unknown> {
  return Object.fromEntries(
    run.history.flatMap((entry) => (entry.type === "step.completed" ? [[entry.step, entry.output]] : [])),
  );
}

const quick = { backoff: { initial: "1ms", jitter: 0 } };

describe("a run", () => {
  test("passes event, outputs and context along, and ends completed", async () => {
    const inputs: StepInput[] = [];
    const on = await host({
      a: (input) => (inputs.push(input), { n: 1 }),
      b: (input) => (inputs.push(input), [input.steps]),
    });
    await deploy(on, { a: {}, b: { after: [{ step: "a" }] } });
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const run = await runOnce(on, {
      id: "e1",
      data: { x: "y" },
      user: { id: "u1" },
      ts: 5,
      v: "2",
      traceparent,
    });
    expect(run).toMatchObject({ status: "completed", functionId: "f", eventId: "e1", userId: "u1" });
    expect(outputs(run)).toEqual({ a: { n: 1 }, b: [{ a: { n: 1 } }] });
    const event = { id: "e1", name: "a/b", data: { x: "y" }, user: { id: "u1" }, ts: 5, v: "2" };
    expect(inputs[1]).toEqual({
      event,
      steps: { a: { n: 1 } },
      ctx: {
        runId: run.id,
        functionId: "f",
        functionVersion: run.functionVersion,
        stepId: "b",
        attempt: 1,
        deadline: expect.any(Number),
        idempotencyKey: `${run.id}:b`,
        user: { id: "u1" },
        traceparent,
      },
    });
  });

  test("is one for each function that the event triggers, and none for the others", async () => {
    const on = await host({ a: () => null });
    const version = (id: string, event: string) =>
      functionVersion({ id, triggers: [{ event }], steps: { a: {} } }, {}, 0);
    await on.deploy([version("f", "a/b"), version("g", "a/b"), version("h", "c/d")]);
    await on.publish([{ name: "a/b" }, { name: "no/one" }]);
    await until(async () => (await on.runs.query({ limit: 9, status: "completed" })).runs.length === 2);
    const { runs } = await on.runs.query({ limit: 9 });
    expect(runs.map((run) => run.functionId).toSorted()).toEqual(["f", "g"]);
  });

  test("starts once for an event id, however often it is sent", async () => {
    let calls = 0;
    const on = await host({ a: () => ++calls });
    await deploy(on, { a: {} });
    const sent = await Promise.all(
      Array.from({ length: 10 }, () => on.publish([{ id: "same", name: "a/b" }])),
    );
    await on.finished(runId("f", "same"));
    await runOnce(on);
    expect(sent.flat().filter((published) => !published.duplicate)).toHaveLength(1);
    expect(calls).toBe(2);
  });

  test("runs branches in parallel", async () => {
    const both = Promise.withResolvers<void>();
    let waiting = 0;
    const meet: Program = async () => {
      if (++waiting === 2) both.resolve();
      await both.promise;
      return null;
    };
    const on = await host({ a: meet, b: meet });
    await deploy(on, { a: {}, b: {} });
    expect((await runOnce(on)).status).toBe("completed");
  });

  test("tries a failed step again, with a growing attempt number and the same idempotency key", async () => {
    const seen: [number, string][] = [];
    const on = await host({
      a: ({ ctx }) => {
        seen.push([ctx.attempt, ctx.idempotencyKey]);
        if (ctx.attempt < 3) throw new Failure({ message: `no ${ctx.attempt}` });
        return "at last";
      },
    });
    await deploy(on, { a: { retry: quick } });
    const run = await runOnce(on);
    expect(run.status).toBe("completed");
    expect(seen).toEqual([1, 2, 3].map((attempt) => [attempt, `${run.id}:a`]));
    expect(run.history.map((entry) => entry.type)).toEqual([
      "run.started",
      "step.failed",
      "step.failed",
      "step.completed",
      "run.completed",
    ]);
  });

  test("fails after the last retry, four by default, and runs onFailure with the reason", async () => {
    let calls = 0;
    let failure: unknown;
    const on = await host({
      a: () => {
        calls += 1;
        throw new Failure({ message: "never" });
      },
      cleanup: ({ ctx, steps }) => ((failure = { ...ctx.failure, steps }), "cleaned"),
    });
    await deploy(
      on,
      { a: { retry: quick }, b: { after: [{ step: "a" }] }, cleanup: {} },
      { onFailure: "cleanup" },
    );
    const run = await runOnce(on);
    expect(calls).toBe(5);
    expect(failure).toEqual({ step: "a", code: "ERR_STEP_FAILED", message: "never", steps: {} });
    expect(run.status).toBe("failed");
    expect(run.history.at(-1)).toMatchObject({
      type: "run.failed",
      failure: { step: "a", message: "never" },
    });
    expect(outputs(run)).toEqual({ cleanup: "cleaned" });
  });

  test("does not try again what failed for good", async () => {
    let calls = 0;
    const on = await host({
      a: () => {
        calls += 1;
        throw new Failure({ code: "ERR_STEP_FATAL", retry: false });
      },
    });
    await deploy(on, { a: { retry: quick } });
    expect((await runOnce(on)).status).toBe("failed");
    expect(calls).toBe(1);
  });

  test("a driver that throws, or is not there, is a failure of the step, not of the host", async () => {
    const on = await host({
      a: () => {
        throw new TypeError("broken driver");
      },
    });
    await deploy(on, { a: { retry: { retries: 1, ...quick } } });
    const broken = await runOnce(on);
    expect(broken.history.at(-1)).toMatchObject({
      failure: { code: "ERR_ENGINE_BROKEN", message: "broken driver" },
    });
    await deploy(on, { a: { runtime: { type: "docker" } } });
    const missing = await runOnce(on);
    expect(missing.history.at(-1)).toMatchObject({ failure: { code: "ERR_RUNTIME_UNAVAILABLE" } });
  });

  test("finishes on the version on which it began", async () => {
    const gate = Promise.withResolvers<void>();
    const on = await host({
      a: async () => (await gate.promise, "old"),
      b: () => "b",
      c: () => "c",
    });
    await deploy(on, { a: {}, b: { after: [{ step: "a" }] } });
    const [published] = await on.publish([{ name: "a/b" }]);
    const id = runId("f", published!.id);
    await until(async () => (await on.runs.load(id)) !== undefined);
    await deploy(on, { a: {}, c: { after: [{ step: "a" }] } });
    gate.resolve();
    expect(outputs(await on.finished(id))).toEqual({ a: "old", b: "b" });
    expect(outputs(await runOnce(on))).toEqual({ a: "old", c: "c" });
  });

  test("parks while it waits, and holds no place among the runs in memory", async () => {
    const on = await host({ a: () => null, b: () => "b" }, { maxRuns: 1 });
    await deploy(on, { a: {}, b: { after: [{ step: "a", wait: "1h" }] } });
    const [first] = await on.publish([{ name: "a/b" }]);
    const id = runId("f", first!.id);
    await until(async () => (await on.runs.load(id))?.status === "parked");
    const [second] = await on.publish([{ name: "a/b" }]);
    await until(async () => (await on.runs.load(runId("f", second!.id)))?.status === "parked");
    expect((await on.runs.load(id))?.wakeAt).toBeGreaterThan(Date.now() + 3_500_000);
  });

  test("goes on with one branch while another one waits for its next attempt", async () => {
    const order: string[] = [];
    const on = await host({
      flaky: ({ ctx }) => {
        order.push(`flaky#${ctx.attempt}`);
        if (ctx.attempt === 1) throw new Failure({ retryAfterMs: 50 });
        return null;
      },
      slow: async () => {
        await until(() => order.includes("flaky#2"));
        order.push("slow");
        return null;
      },
    });
    await deploy(on, { flaky: {}, slow: {} });
    expect((await runOnce(on)).status).toBe("completed");
    expect(order).toEqual(["flaky#1", "flaky#2", "slow"]);
  });
});

describe("a function whose step can't run", () => {
  test("is noticed when it is deployed, and its runs fail with the same code", async () => {
    const on = await host({});
    await deploy(on, { a: { runtime: { type: "lambda" } } });
    await until(() => on.notices("f").length > 0);
    expect(on.notices("f")).toMatchObject([{ level: "error", code: "ERR_RUNTIME_UNAVAILABLE" }]);
    expect(on.notices("f")[0]?.message).toContain("Step a");
    expect((await runOnce(on)).history.at(-1)).toMatchObject({
      failure: { code: "ERR_RUNTIME_UNAVAILABLE" },
    });
  });
});

describe("expressions", () => {
  test("decide which events trigger; a missing field counts as false, without a word", async () => {
    const on = await host({ a: () => null });
    await deploy(on, { a: {} }, { triggers: [{ event: "a/b", expression: "data.n > 1" }] });
    const published = await on.publish([
      { name: "a/b", data: { n: 1 } },
      { name: "a/b" },
      { name: "a/b", data: { n: 2 } },
    ]);
    await on.finished(runId("f", published[2]!.id));
    expect((await on.runs.query({ limit: 9 })).runs).toHaveLength(1);
    expect(on.notices()).toEqual([]);
  });

  test("that meet a wrong type count as false, and are noticed once", async () => {
    const on = await host({ a: () => null });
    await deploy(on, { a: {} }, { triggers: [{ event: "a/b", expression: "data.n > 1" }] });
    const data = [{ n: "text" }, { n: true }, { n: "more" }, { n: 2 }];
    const published = await on.publish(data.map((d) => ({ name: "a/b", data: d })));
    await on.finished(runId("f", published[3]!.id));
    expect((await on.runs.query({ limit: 9 })).runs).toHaveLength(1);
    expect(on.notices("f")).toMatchObject([{ code: "ERR_EXPRESSION_TYPE", functionId: "f" }]);
    expect(on.notices("f")[0]?.message).toContain("data.n > 1");
  });
});

describe("a host that ends", () => {
  test("cuts off what is under way, and the next one runs that attempt again", async () => {
    const store = await storeFile();
    const attempts: number[] = [];
    const first = await host(
      {
        a: ({ ctx }, signal) => {
          attempts.push(ctx.attempt);
          return new Promise((_, reject) => {
            signal?.addEventListener("abort", () => reject(new Failure({ code: "ERR_STEP_CANCELLED" })));
          });
        },
      },
      { store },
    );
    await deploy(first, { a: {} });
    const [published] = await first.publish([{ name: "a/b" }]);
    await until(() => attempts.length === 1);
    await first.close();
    const second = await host({ a: ({ ctx }) => (attempts.push(ctx.attempt), "done") }, { store });
    const run = await second.finished(runId("f", published!.id));
    expect(run.status).toBe("completed");
    expect(attempts).toEqual([1, 1]);
    expect(run.history).toHaveLength(3);
  });

  test("lets what is under way end within the grace, and starts nothing after it", async () => {
    const store = await storeFile();
    const gate = Promise.withResolvers<void>();
    let under = false;
    const first = await host(
      { a: async () => ((under = true), await gate.promise, "a"), b: () => "b" },
      { store, graceMs: 60_000 },
    );
    await deploy(first, { a: {}, b: { after: [{ step: "a" }] } });
    const [published] = await first.publish([{ name: "a/b" }]);
    await until(() => under);
    const closing = first.close();
    gate.resolve();
    await closing;
    await expect(first.publish([{ name: "a/b" }])).rejects.toMatchObject({ code: "ERR_HOST_CLOSED" });
    const ran: string[] = [];
    const second = await host({ a: () => (ran.push("a"), null), b: () => (ran.push("b"), null) }, { store });
    const run = await second.finished(runId("f", published!.id));
    expect(outputs(run)).toEqual({ a: "a", b: null });
    expect(ran).toEqual(["b"]);
  });

  test("leaves the timers of parked runs to the next one", async () => {
    const store = await storeFile();
    const first = await host({ a: () => null, b: () => "b" }, { store });
    await deploy(first, { a: {}, b: { after: [{ step: "a", wait: "300ms" }] } });
    const [published] = await first.publish([{ name: "a/b" }]);
    const id = runId("f", published!.id);
    await until(async () => (await first.runs.load(id))?.status === "parked");
    await first.close();
    const second = await host({ b: () => "b" }, { store });
    expect(outputs(await second.finished(id))).toEqual({ a: null, b: "b" });
  });

  test("has its store refused to a second host, and given to the next", async () => {
    const store = await storeFile();
    const first = await host({}, { store });
    await expect(host({}, { store })).rejects.toMatchObject({ code: "ERR_STORE_LOCKED" });
    await first.close();
    await host({}, { store });
  });
});

describe("a store that is full", () => {
  test("refuses events with a code, keeps what it has, and goes on once there is room", async () => {
    const store = await storeFile();
    const on = await host({ a: () => null }, { store: `${store}?maxSize=300000` });
    await deploy(on, { a: {} });
    const data = { text: "x".repeat(20_000) };
    const acknowledged: string[] = [];
    let refused: unknown;
    for (let i = 0; i < 50 && refused === undefined; i += 1) {
      try {
        acknowledged.push(...(await on.publish([{ name: "a/b", data }])).map(({ id }) => id));
      } catch (error) {
        refused = error;
      }
    }
    expect(refused).toMatchObject({ code: "ERR_STORE_FULL", status: 507 });
    expect(acknowledged.length).toBeGreaterThan(0);
    await on.close();
    const roomier = await host({ a: () => null }, { store });
    for (const id of acknowledged) expect((await roomier.finished(runId("f", id))).status).toBe("completed");
    expect(await roomier.events.readEvents({ limit: 100 })).toHaveLength(acknowledged.length);
  });
});
