import { afterEach, describe, expect, test } from "vitest";
import { functionVersion } from "../../../host/function/define.ts";
import type { FunctionDocument } from "../../../host/function/document.ts";
import { createHost, runId, type Host } from "../../../host/index.ts";
import type { StoredRun } from "../../../host/state/state.ts";
import { until } from "../broker/broker-contract.ts";
import type { HostStore } from "../host-store.ts";
import { Failure, inProcessDrivers, type Program } from "../in-process-driver.ts";

function types(run: StoredRun | undefined): string[] {
  return (run?.history ?? []).map((entry) => ("step" in entry ? `${entry.type} ${entry.step}` : entry.type));
}

/** Never ends by itself, but when it is cut off. */
function endless(underWay: () => void, ended: () => void): Program {
  return (_, signal) =>
    new Promise((_resolve, reject) => {
      underWay();
      signal?.addEventListener("abort", () => {
        ended();
        reject(new Failure({ code: "ERR_STEP_CANCELLED" }));
      });
    });
}

/** What can be asked of runs, on every store; `shared`: by another host than the one that advances them. */
export function commandsContract(
  name: string,
  open: () => Promise<HostStore>,
  { shared }: { readonly shared: boolean },
): void {
  describe(`commands on ${name}`, () => {
    const cleanups: (() => Promise<unknown>)[] = [];
    afterEach(async () => {
      for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
    });

    /** The host that runs steps, and the one that is asked: two of them on a shared store. */
    const hosts = async (programs: Readonly<Record<string, Program>>): Promise<{ on: Host; asked: Host }> => {
      const { config, dispose } = await open();
      cleanups.push(dispose);
      const start = async (runs: boolean): Promise<Host> => {
        const drivers = runs ? inProcessDrivers(programs) : new Map();
        const host = await createHost({ ...config, drivers, name: runs ? "runs" : "asked" });
        cleanups.push(() => host.close());
        return host;
      };
      const on = await start(true);
      return { on, asked: shared ? await start(false) : on };
    };
    const deploy = async (
      on: Host,
      steps: FunctionDocument["steps"],
      more: Partial<FunctionDocument> = {},
    ) => {
      const document = { id: "f", triggers: [{ event: "a/b" }], steps, ...more };
      await on.deploy([functionVersion(document, {}, 0)]);
    };
    const begin = async (on: Host, data: object = {}): Promise<string> => {
      const [published] = await on.publish([{ name: "a/b", data }]);
      return runId("f", published!.id);
    };
    const stands = (on: Host, id: string, status: string): Promise<void> =>
      until(async () => (await on.runs.load(id))?.status === status);

    test("cancel a run: what is under way is ended, nothing of it counts, and nothing follows", async () => {
      let underWay = 0;
      let ended = 0;
      const { on, asked } = await hosts({
        a: endless(
          () => (underWay += 1),
          () => (ended += 1),
        ),
        cleanup: () => "never",
      });
      await deploy(on, { a: {}, b: { after: [{ step: "a" }] }, cleanup: {} }, { onFailure: "cleanup" });
      const id = await begin(on);
      await until(() => underWay === 1);
      await asked.commands.cancel(id, "not wanted");
      await until(() => ended === 1);
      const run = await on.finished(id);
      expect(types(run)).toEqual(["run.started", "run.cancelled"]);
      expect(run).toMatchObject({ status: "cancelled", history: [{}, { reason: "not wanted" }] });
      await asked.commands.cancel(id);
      expect(await on.runs.load(id)).toEqual(run);
      await expect(asked.commands.pause(id)).rejects.toMatchObject({ code: "ERR_RUN_STATE" });
      await expect(asked.commands.cancel(runId("f", "none"))).rejects.toMatchObject({
        code: "ERR_RUN_UNKNOWN",
      });
    });

    test("cancel a run that was parked before: what is under way by then is ended", async () => {
      let underWay = 0;
      let ended = 0;
      const { on, asked } = await hosts({
        a: endless(
          () => (underWay += 1),
          () => (ended += 1),
        ),
      });
      await deploy(on, { a: { after: [{ step: "$trigger", wait: "1500ms" }] } });
      const id = await begin(on);
      await stands(on, id, "parked");
      await until(() => underWay === 1);
      await asked.commands.cancel(id);
      await until(() => ended === 1);
      expect(types(await on.finished(id))).toEqual(["run.started", "run.cancelled"]);
    });

    test("cancel a run that is parked, and its waits end no more", async () => {
      const { on, asked } = await hosts({ a: () => "a" });
      const wait = { step: "$trigger", async: { event: "paid", ttl: "1h" } };
      await deploy(on, { a: { after: [wait] } });
      const id = await begin(on);
      await stands(on, id, "parked");
      await asked.commands.cancel(id);
      await on.publish([{ name: "paid" }]);
      const other = await begin(on);
      await stands(on, other, "parked");
      await on.publish([{ name: "paid" }]);
      expect((await on.finished(other)).status).toBe("completed");
      expect(types(await on.runs.load(id))).toEqual(["run.started", "wait.armed", "run.cancelled"]);
    });

    test("pause a run: what is under way ends and is recorded, what follows waits until it is resumed", async () => {
      const gate = Promise.withResolvers<void>();
      let underWay = false;
      const { on, asked } = await hosts({
        a: async () => ((underWay = true), await gate.promise, "a"),
        b: () => "b",
      });
      await deploy(on, { a: {}, b: { after: [{ step: "a" }] } });
      const id = await begin(on);
      await until(() => underWay);
      await asked.commands.pause(id, "look at it");
      await asked.commands.pause(id);
      gate.resolve();
      await stands(on, id, "paused");
      expect(types(await on.runs.load(id))).toEqual(["run.started", "run.paused", "step.completed a"]);
      await asked.commands.resume(id);
      await asked.commands.resume(id);
      expect(types(await on.finished(id))).toEqual([
        "run.started",
        "run.paused",
        "step.completed a",
        "run.resumed",
        "step.completed b",
        "run.completed",
      ]);
    });

    test("pause a run that sleeps: it takes its event, and what was due is done when it is resumed", async () => {
      const { on, asked } = await hosts({ a: () => "a", b: () => "b" });
      const wait = { step: "$trigger", async: { event: "paid", ttl: "1h" } };
      await deploy(on, { a: { after: [{ step: "$trigger", wait: "300ms" }] }, b: { after: [wait] } });
      const id = await begin(on);
      await until(async () => types(await on.runs.load(id)).includes("wait.armed"));
      await asked.commands.pause(id);
      await on.publish([{ name: "paid" }]);
      await until(async () => types(await on.runs.load(id)).includes("wait.matched"));
      await new Promise((resolve) => setTimeout(resolve, 500));
      expect(types(await on.runs.load(id)).some((type) => type.startsWith("step"))).toBe(false);
      await stands(on, id, "paused");
      await asked.commands.resume(id);
      expect((await on.finished(id)).status).toBe("completed");
    });

    test("retry a run from the step that failed: the others keep what they put out", async () => {
      const ran: string[] = [];
      let broken = true;
      const { on, asked } = await hosts({
        a: () => (ran.push("a"), "a"),
        b({ ctx }) {
          ran.push(`b#${ctx.attempt}`);
          if (broken) throw new Failure({ retry: ctx.attempt === 1 });
          return "b";
        },
        c: ({ steps }) => (ran.push("c"), steps),
        cleanup: () => (ran.push("cleanup"), null),
      });
      await deploy(
        on,
        { a: {}, b: { after: [{ step: "a" }] }, c: { after: [{ step: "b" }] }, cleanup: {} },
        { onFailure: "cleanup", retry: { retries: 1, backoff: { initial: "1ms" } } },
      );
      const id = await begin(on);
      expect((await on.finished(id)).status).toBe("failed");
      await expect(asked.commands.retry(id, "none")).rejects.toMatchObject({ code: "ERR_RUN_STEP" });
      broken = false;
      await asked.commands.retry(id);
      await stands(on, id, "completed");
      const run = await on.runs.load(id);
      expect(ran).toEqual(["a", "b#1", "b#2", "cleanup", "b#3", "c"]);
      expect(types(run).slice(-4)).toEqual([
        "run.retried",
        "step.completed b",
        "step.completed c",
        "run.completed",
      ]);
      await expect(asked.commands.retry(id)).rejects.toMatchObject({ code: "ERR_RUN_STATE" });
    });

    test("retry a run from a step that is chosen: all behind it runs anew, and nothing else", async () => {
      const ran: string[] = [];
      const note: Program = ({ ctx }) => (ran.push(`${ctx.stepId}#${ctx.attempt}`), ctx.stepId);
      const { on, asked } = await hosts({ a: note, b: note, c: note, d: note });
      const wait = { step: "b", async: { event: "paid", ttl: "100ms", onTimeout: true } };
      await deploy(on, {
        a: {},
        b: { after: [{ step: "a" }] },
        c: { after: [wait] },
        d: { after: [{ step: "a" }] },
      });
      const id = await begin(on);
      await on.finished(id);
      await asked.commands.retry(id, "b");
      await until(
        async () => types(await on.runs.load(id)).filter((type) => type === "run.completed").length === 2,
      );
      expect(ran.toSorted()).toEqual(["a#1", "b#1", "b#2", "c#1", "c#2", "d#1"]);
    });

    test("retry a run with another event: a new run that says of which it is one more try", async () => {
      const { on, asked } = await hosts({ a: ({ event }) => event.data });
      await deploy(on, { a: {} });
      const id = await begin(on, { n: 1 });
      await on.finished(id);
      const event = { name: "a/b", data: { n: 2 } };
      const again = await asked.commands.rerun(id, event);
      expect(again).not.toBe(id);
      const run = await on.finished(again);
      expect(run.history).toMatchObject([{ retryOf: id }, { output: { n: 2 } }, {}]);
      await expect(asked.commands.rerun(id, { name: "a/b", data: 1 })).rejects.toMatchObject({
        code: "ERR_EVENT_INVALID",
      });
    });

    test("an event cancels the runs that it is meant for, also one that came before they looked", async () => {
      let underWay = 0;
      let ended = 0;
      const { on } = await hosts({
        a: endless(
          () => (underWay += 1),
          () => (ended += 1),
        ),
      });
      await deploy(
        on,
        { a: {} },
        { cancel: [{ event: "withdrawn", if: "async.data.id == event.data.id && !has(async.data.not)" }] },
      );
      const ids = [await begin(on, { id: 1 }), await begin(on, { id: 2 })];
      await until(() => underWay === 2);
      await on.publish([
        { name: "withdrawn", data: { id: 1, not: true } },
        { name: "withdrawn", data: { id: 2 } },
      ]);
      const run = await on.finished(ids[1]!);
      expect(run.status).toBe("cancelled");
      expect(types(run)).toEqual(["run.started", "wait.armed", "wait.matched", "run.cancelled"]);
      await until(() => ended === 1);
      expect((await on.runs.load(ids[0]!))?.finishedAt).toBeUndefined();
      const [early] = await on.publish([
        { name: "a/b", data: { id: 3 } },
        { name: "withdrawn", data: { id: 3 } },
      ]);
      expect((await on.finished(runId("f", early!.id))).status).toBe("cancelled");
      expect((await on.runs.load(ids[0]!))?.finishedAt).toBeUndefined();
    });

    test("an event cancels no run any more for which its timeout is over", async () => {
      let underWay = 0;
      const { on } = await hosts({
        a: endless(
          () => (underWay += 1),
          () => undefined,
        ),
      });
      const withdrawn = { event: "withdrawn", timeout: "1s" };
      await deploy(on, { a: {} }, { cancel: [withdrawn, { event: "stopped" }] });
      const id = await begin(on);
      await until(() => underWay === 1);
      const { createdAt } = (await on.runs.load(id))!;
      await until(() => Date.now() > createdAt + 1_200);
      await on.publish([{ name: "withdrawn" }, { name: "stopped" }]);
      const run = await on.finished(id);
      expect(run.history.at(-1)).toMatchObject({
        type: "run.cancelled",
        reason: expect.stringMatching(/^event stopped came/) as string,
      });
    });

    test("a run that takes longer than it may fails: what is under way is ended, and it is handled", async () => {
      let ended = 0;
      let failure: unknown;
      const { on } = await hosts({
        a: endless(
          () => undefined,
          () => (ended += 1),
        ),
        cleanup: ({ ctx }) => ((failure = ctx.failure), "cleaned"),
      });
      await deploy(on, { a: {}, cleanup: {} }, { onFailure: "cleanup", timeout: "200ms" });
      const begun = Date.now();
      const run = await on.finished(await begin(on));
      expect(Date.now() - begun).toBeGreaterThanOrEqual(200);
      expect(types(run)).toEqual(["run.started", "run.timedOut", "step.completed cleanup", "run.failed"]);
      expect(run.history.at(-1)).toMatchObject({ failure: { code: "ERR_RUN_TIMEOUT" } });
      expect(failure).toMatchObject({ code: "ERR_RUN_TIMEOUT" });
      expect(ended).toBe(1);
    });

    test("a run that sleeps takes no longer than it may either", async () => {
      const { on } = await hosts({ a: () => "a" });
      await deploy(on, { a: { after: [{ step: "$trigger", wait: "1h" }] } }, { timeout: "300ms" });
      const run = await on.finished(await begin(on));
      expect(types(run)).toEqual(["run.started", "run.timedOut", "run.failed"]);
    });
  });
}
