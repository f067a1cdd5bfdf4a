import { afterEach, describe, expect, test } from "vitest";
import type { Json } from "../../../runtime/json.ts";
import { functionVersion } from "../../../host/function/define.ts";
import type { FunctionDocument, StepDocument } from "../../../host/function/document.ts";
import { createHost, runId, type Host } from "../../../host/index.ts";
import type { StoredRun } from "../../../host/state/state.ts";
import { until } from "../broker/broker-contract.ts";
import { inProcessDrivers, type Program } from "../in-process-driver.ts";

const hosts: Host[] = [];
afterEach(async () => {
  for (const host of hosts.splice(0)) await host.close();
});

async function host(
  programs: Readonly<Record<string, Program>>,
  functions: readonly (Partial<FunctionDocument> & Pick<FunctionDocument, "id" | "steps">)[],
): Promise<Host> {
  const created = await createHost({ store: "memory:", drivers: inProcessDrivers(programs) });
  hosts.push(created);
  const documents = functions.map((one) => ({ triggers: [{ event: "a/b" }], ...one }));
  await created.deploy(documents.map((document) => functionVersion(document, {}, 0)));
  return created;
}

const may: StepDocument = { capabilities: { emit: ["order/*", "a/b"] }, retry: { retries: 0 } };

/** Runs function `f`, whose one step puts this out. */
async function emitting(output: Json, step = may): Promise<{ run: StoredRun; on: Host }> {
  const on = await host({ a: () => output }, [{ id: "f", steps: { a: step } }]);
  await on.publish([{ id: "e1", name: "a/b", user: { id: "u1" } }]);
  return { on, run: await on.finished(runId("f", "e1")) };
}

describe("a step that emits events", () => {
  test("starts functions by them, and its output has the rest", async () => {
    const events: unknown[] = [];
    const on = await host(
      {
        a: () => ({ n: 1, emit: [{ name: "order/paid", data: { id: 7 } }] }),
        b: ({ event }) => (events.push(event), 1),
      },
      [
        { id: "f", steps: { a: may } },
        { id: "g", triggers: [{ event: "order/paid" }], steps: { b: {} } },
      ],
    );
    await on.publish([{ id: "e1", name: "a/b", user: { id: "u1" } }]);
    const run = await on.finished(runId("f", "e1"));
    const [completed] = run.history.filter(({ type }) => type === "step.completed");
    expect(completed).toMatchObject({ output: { n: 1 }, emits: [{ name: "order/paid", data: { id: 7 } }] });
    await until(() => events.length === 1);
    const attributes = { millracerun: run.id, millracestep: "a", millracedepth: 1 };
    expect(events[0]).toMatchObject({ name: "order/paid", user: { id: "u1" }, attributes });
    const { runs } = await on.runs.query({ limit: 9, functionId: "g" });
    expect(runs).toMatchObject([{ userId: "u1" }]);
  });

  test("has its events stored before the run goes on, and that is in its history", async () => {
    const { on, run } = await emitting({ emit: [{ name: "order/paid" }, { name: "order/packed" }] });
    const types = run.history.map(({ type }) => type);
    expect(types).toEqual(["run.started", "step.completed", "step.emitted", "run.completed"]);
    const stored = await on.events.readEvents({ limit: 9 });
    expect(stored.map(({ event }) => event.name)).toEqual(["a/b", "order/paid", "order/packed"]);
  });

  test("without the capability puts out what it puts out", async () => {
    const output = { emit: [{ name: "order/paid" }] };
    const { on, run } = await emitting(output, {});
    expect(run.history).toContainEqual(expect.objectContaining({ type: "step.completed", output }));
    expect(await on.events.readEvents({ limit: 9 })).toHaveLength(1);
  });

  test.each<[string, Json, string]>([
    ["no list", {}, "must be a list"],
    ["what is no object", ["x"], "/emit/0: it is no object"],
    [
      "a name that it may not emit",
      [{ name: "order/x" }, { name: "user/x" }],
      '/emit/1: the step may not emit "user/x"',
    ],
    ["no name", [{}], "its `name` is missing"],
    ["fields that it may not give", [{ name: "order/x", attributes: {} }], 'it has "attributes"'],
    ["data of another type", [{ name: "order/x", data: 1 }], "/emit/0/data"],
    ["too many", Array.from({ length: 101 }, () => ({ name: "order/x" })), "100 are allowed"],
  ])("fails for good with %s", async (_, emit, message) => {
    const { on, run } = await emitting({ emit }, { capabilities: { emit: ["order/*"] } });
    expect(run.status).toBe("failed");
    const failure = { code: "ERR_STEP_EMIT", message: expect.stringContaining(message) };
    expect(run.history.filter(({ type }) => type === "step.failed")).toMatchObject([{ failure }]);
    expect(await on.events.readEvents({ limit: 9 })).toHaveLength(1);
  });

  test("is held to the schemas of events", async () => {
    const on = await host({ a: () => ({ emit: [{ name: "order/x", data: { n: "1" } }] }) }, [
      { id: "f", steps: { a: may } },
    ]);
    await on.setEventSchemas({ "order/x": { properties: { n: { type: "number" } } } });
    await on.publish([{ id: "e1", name: "a/b" }]);
    const run = await on.finished(runId("f", "e1"));
    expect(run.history).toContainEqual(
      expect.objectContaining({
        failure: { code: "ERR_STEP_EMIT", message: expect.stringContaining("/emit/0/data/n") },
      }),
    );
  });

  test("gives an event an id of its own, which other functions can't forestall", async () => {
    const { on } = await emitting({
      emit: [
        { name: "order/x", id: "7" },
        { name: "order/x", id: "7" },
      ],
    });
    const stored = await on.events.readEvents({ limit: 9, name: "order/x" });
    expect(stored.map(({ event }) => event.id)).toEqual(["f/7"]);
  });

  test("emits the same events when its run goes on from it once more", async () => {
    const { on, run } = await emitting({ emit: [{ name: "order/x" }] });
    await on.commands.retry(run.id, "a");
    const again = await on.finished(run.id);
    expect(again.history.filter(({ type }) => type === "step.emitted")).toHaveLength(2);
    expect(await on.events.readEvents({ limit: 9, name: "order/x" })).toHaveLength(1);
  });

  test("of a function that starts itself comes to an end", async () => {
    const { on } = await emitting({ emit: [{ name: "a/b" }] });
    await until(async () => (await on.runs.query({ limit: 9, status: "failed" })).runs.length === 1);
    const { runs } = await on.runs.query({ limit: 99 });
    expect(runs).toHaveLength(33);
    const last = await on.runs.load(runs[0]!.id);
    expect(last?.history).toContainEqual(
      expect.objectContaining({ failure: expect.objectContaining({ code: "ERR_STEP_EMIT_DEPTH" }) }),
    );
  });
});
