import { afterEach, describe, expect, test } from "vitest";
import { functionVersion } from "../../../host/function/define.ts";
import type { FunctionDocument, StepDocument } from "../../../host/function/document.ts";
import { createHost, runId, type Host } from "../../../host/index.ts";
import type { StoredRun } from "../../../host/state/state.ts";
import { viewRun } from "../../../host/run/view.ts";
import { until } from "../broker/broker-contract.ts";
import { Failure, inProcessDrivers, type Program } from "../in-process-driver.ts";

const hosts: Host[] = [];
afterEach(async () => {
  for (const host of hosts.splice(0)) await host.close();
});

type Document = Partial<FunctionDocument> & Pick<FunctionDocument, "id" | "steps">;

const versions = (documents: readonly Document[]) =>
  documents.map((one) => functionVersion({ triggers: [{ event: `${one.id}/begin` }], ...one }, {}, 0));

async function host(
  programs: Readonly<Record<string, Program>>,
  functions: readonly Document[],
): Promise<Host> {
  const created = await createHost({ store: "memory:", drivers: inProcessDrivers(programs) });
  hosts.push(created);
  await created.deploy(versions(functions));
  return created;
}

async function begin(on: Host, data: object = {}): Promise<string> {
  await on.publish([{ id: "e1", name: "f/begin", data, user: { id: "u1" } }]);
  return runId("f", "e1");
}

async function children(on: Host, functionId = "g"): Promise<readonly StoredRun[]> {
  const { runs } = await on.runs.query({ limit: 99, functionId });
  return Promise.all(runs.map(async ({ id }) => (await on.runs.load(id))!));
}

const failures = ({ history }: StoredRun) =>
  history.flatMap((entry) => (entry.type === "step.failed" ? [entry.failure.code] : []));

/** `f` invokes `g`, with what step `a` puts out. */
const caller = (more: Partial<StepDocument> & object = {}, invoke: object = {}): Document => ({
  id: "f",
  steps: {
    a: {},
    call: {
      after: [{ step: "a" }],
      invoke: { function: "g", data: { n: "output.n", fixed: 1 }, ...invoke },
      ...more,
    },
    last: { after: [{ step: "call" }] },
  },
});
const callee: Document = { id: "g", steps: { work: {} } };
const waiting: Document = {
  id: "g",
  steps: { work: { after: [{ step: "$trigger", async: { event: "go/on", ttl: "1h" } }] } },
};
const programs: Record<string, Program> = {
  a: () => ({ n: 7 }),
  work: ({ event }) => ({ got: event.data }),
  last: ({ steps }) => steps["call"] ?? null,
};

describe("a step that invokes a function", () => {
  test("starts a run of it, and has its output", async () => {
    const on = await host(programs, [caller(), callee]);
    const run = await on.finished(await begin(on));
    expect(run.status).toBe("completed");
    const [child] = await children(on);
    expect(child).toMatchObject({ status: "completed", userId: "u1", eventName: "invoke/g" });
    const [started] = child!.history;
    expect(started).toMatchObject({
      event: {
        data: { n: 7, fixed: 1 },
        attributes: { millracerun: run.id, millracestep: "call", millracedepth: 1 },
      },
    });
    const { steps, output } = viewRun(caller() as FunctionDocument, run);
    expect(output).toEqual({ got: { n: 7, fixed: 1 } });
    expect(steps.find(({ id }) => id === "call")).toMatchObject({
      status: "completed",
      output: { got: { n: 7, fixed: 1 } },
      invoked: [{ attempt: 1, functionId: "g", runId: child!.id }],
    });
  });

  test("is parked meanwhile, and no trigger of the function is asked", async () => {
    const on = await host(programs, [
      caller(),
      { ...waiting, triggers: [{ event: "invoke/g", expression: "false" }] },
    ]);
    const id = await begin(on);
    await until(
      async () => (await on.runs.load(id))?.status === "parked" && (await children(on)).length === 1,
    );
    await on.publish([{ name: "go/on" }]);
    expect((await on.finished(id)).status).toBe("completed");
  });

  test("fails with its run, and is not tried again by itself", async () => {
    const work = (): never => {
      throw new Failure({ retry: false, message: "no stock" });
    };
    const on = await host({ ...programs, work }, [caller(), callee]);
    const run = await on.finished(await begin(on));
    expect(failures(run)).toEqual(["ERR_STEP_INVOKED_FAILED"]);
    expect(run.history.at(-1)).toMatchObject({
      type: "run.failed",
      failure: {
        message: expect.stringMatching(/^Run \w{32} of g failed at step work: ERR_STEP_FAILED no stock$/),
      },
    });
  });

  test("is tried again by its own policy, each time with another run", async () => {
    let calls = 0;
    const work = (): string => {
      calls += 1;
      if (calls === 1) throw new Failure({ retry: false });
      return "second";
    };
    const retry = { retries: 1, backoff: { initial: "1ms" } };
    const on = await host({ ...programs, work }, [caller({ retry }), callee]);
    const run = await on.finished(await begin(on));
    expect([run.status, failures(run)]).toEqual(["completed", ["ERR_STEP_INVOKED_FAILED"]]);
    expect((await children(on)).map(({ status }) => status).toSorted()).toEqual(["completed", "failed"]);
  });

  test("waits no longer than its timeout, and cancels the run", async () => {
    const on = await host(programs, [caller({}, { timeout: "50ms" }), waiting]);
    const run = await on.finished(await begin(on));
    expect(failures(run)).toEqual(["ERR_STEP_INVOKE_TIMEOUT"]);
    expect(await children(on)).toMatchObject([{ status: "cancelled" }]);
  });

  test("fails when its run is cancelled", async () => {
    const on = await host(programs, [caller(), waiting]);
    const id = await begin(on);
    await until(async () => (await children(on)).length === 1);
    await on.commands.cancel((await children(on))[0]!.id, "not today");
    const run = await on.finished(id);
    expect(run.history).toContainEqual(
      expect.objectContaining({
        failure: { code: "ERR_STEP_INVOKED_CANCELLED", message: expect.stringContaining(": not today.") },
      }),
    );
  });

  test("has its run cancelled with its own, and another one when that goes on", async () => {
    const on = await host(programs, [caller(), waiting]);
    const id = await begin(on);
    await until(async () => (await children(on)).length === 1);
    await on.commands.cancel(id);
    expect(await children(on)).toMatchObject([{ status: "cancelled" }]);
    await on.commands.retry(id);
    await until(async () => (await children(on)).length === 2);
    await on.publish([{ name: "go/on" }]);
    expect((await on.finished(id)).status).toBe("completed");
  });

  test("is not waited for by a run that is retried by hand, which goes on all the same", async () => {
    let calls = 0;
    const work = (): string => {
      calls += 1;
      if (calls === 1) throw new Failure({ retry: false });
      return "now";
    };
    const on = await host({ ...programs, work }, [caller(), callee]);
    await on.finished(await begin(on));
    const [child] = await children(on);
    await on.commands.retry(child!.id);
    expect((await on.finished(child!.id)).status).toBe("completed");
    const [started] = child!.history;
    const again = await on.commands.rerun(
      child!.id,
      started?.type === "run.started" ? { ...started.event, id: "other" } : {},
    );
    expect((await on.finished(again)).status).toBe("completed");
  });

  test("has its run cancelled when its own has no time left", async () => {
    const on = await host(programs, [{ ...caller(), timeout: "80ms" }, waiting]);
    const run = await on.finished(await begin(on));
    expect(run.history.at(-1)).toMatchObject({ type: "run.failed", failure: { code: "ERR_RUN_TIMEOUT" } });
    expect(await children(on)).toMatchObject([{ status: "cancelled" }]);
  });

  test.each([
    ["gives no object", { data: "output.n" }],
    ["can't be made", { data: { n: "output.nothing" } }],
    ["is too large", { data: { n: "[data.long, data.long, data.long, data.long]" } }],
  ])("fails for good when its data %s", async (_, invoke) => {
    const on = await host(programs, [caller({ retry: { retries: 3 } }, invoke), callee]);
    const run = await on.finished(await begin(on, { long: "x".repeat(100_000) }));
    expect(failures(run)).toEqual(["ERR_STEP_INVOKE_DATA"]);
    expect(await children(on)).toEqual([]);
  });

  test("is refused where the function is not there", async () => {
    const on = await host(programs, []);
    await expect(on.deploy(versions([caller()]))).rejects.toMatchObject({
      code: "ERR_FUNCTION_INVOKE",
      problems: [
        {
          pointer: "/steps/call/invoke/function",
          message: "step call of f invokes g, and there is no such active function",
        },
      ],
    });
  });

  test("fails when the function was removed", async () => {
    const on = await host(programs, [caller(), callee]);
    await on.remove("g");
    expect(failures(await on.finished(await begin(on)))).toEqual(["ERR_STEP_INVOKE_UNKNOWN"]);
  });

  test("of a function that invokes itself comes to an end", async () => {
    const on = await host(programs, [{ id: "f", steps: { call: { invoke: { function: "f" } } } }]);
    const run = await on.finished(await begin(on));
    expect(failures(run)).toEqual(["ERR_STEP_INVOKED_FAILED"]);
    const runs = await children(on, "f");
    expect(runs).toHaveLength(33);
    expect(runs.flatMap(failures)).toContain("ERR_STEP_INVOKE_DEPTH");
  });

  test("may handle a failure", async () => {
    const work = (): never => {
      throw new Failure({ retry: false });
    };
    const steps = { work: {}, mend: { invoke: { function: "g", data: { why: "event.name" } } } };
    const on = await host({ ...programs, work, tidy: ({ event }) => event.data }, [
      { id: "f", steps, onFailure: "mend" },
      { id: "g", steps: { tidy: {} } },
    ]);
    const run = await on.finished(await begin(on));
    expect(run.status).toBe("failed");
    expect(run.history).toContainEqual(
      expect.objectContaining({ type: "step.completed", step: "mend", output: { why: "f/begin" } }),
    );
  });
});
