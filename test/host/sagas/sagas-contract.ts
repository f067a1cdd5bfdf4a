import { afterEach, describe, expect, test } from "vitest";
import { viewRun } from "../../../host/run/view.ts";
import { functionVersion } from "../../../host/function/define.ts";
import type { FunctionDocument } from "../../../host/function/document.ts";
import { createHost, runId, type Host } from "../../../host/index.ts";
import { until } from "../broker/broker-contract.ts";
import type { HostStore } from "../host-store.ts";
import { Failure, inProcessDrivers, type Program } from "../in-process-driver.ts";

/** Runs that undo what they did, and that go on over a failure, on every store. */
export function sagasContract(name: string, open: () => Promise<HostStore>): void {
  describe(`sagas on ${name}`, () => {
    const cleanups: (() => Promise<unknown>)[] = [];
    afterEach(async () => {
      for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
    });

    const begin = async (
      programs: Readonly<Record<string, Program>>,
      steps: FunctionDocument["steps"],
      more: Partial<FunctionDocument> = {},
      others: readonly FunctionDocument[] = [],
    ): Promise<{ on: Host; id: string }> => {
      const { config, dispose } = await open();
      cleanups.push(dispose);
      const on = await createHost({ ...config, drivers: inProcessDrivers(programs) });
      cleanups.push(() => on.close());
      const document = { id: "f", triggers: [{ event: "a/b" }], steps, retry: { retries: 0 }, ...more };
      await on.deploy([document, ...others].map((one) => functionVersion(one, {}, 0)));
      const [published] = await on.publish([{ name: "a/b" }]);
      return { on, id: runId("f", published!.id) };
    };
    const fail: Program = () => {
      throw new Failure({ message: "no" });
    };
    const trip: FunctionDocument["steps"] = {
      hotel: { compensate: "leave" },
      flight: { after: [{ step: "hotel" }], compensate: "stay" },
      pay: { after: [{ step: "flight" }] },
      leave: {},
      stay: {},
      tell: {},
    };

    test("undo, in the reverse order, what was done, and then handle the failure", async () => {
      const said: string[] = [];
      const say: Program = ({ ctx, output }) => {
        said.push(`${ctx.stepId} ${JSON.stringify(output ?? null)} ${ctx.failure?.step ?? ""}`);
        return ctx.stepId;
      };
      const programs = { hotel: () => "H", flight: () => "F", pay: fail, leave: say, stay: say, tell: say };
      const { on, id } = await begin(programs, trip, { onFailure: "tell" });
      const run = await on.finished(id);
      expect(said).toEqual(['stay "F" pay', 'leave "H" pay', "tell null pay"]);
      const version = await on.version(run.functionId, run.functionVersion);
      expect(viewRun(version?.document, run)).toMatchObject({
        status: "failed",
        undone: ["flight", "hotel"],
      });
    });

    test("are cancelled once what is under way has ended and what was done is undone", async () => {
      const gate = Promise.withResolvers<void>();
      let underWay = false;
      const undone: string[] = [];
      const undo: Program = ({ ctx }) => (undone.push(ctx.stepId), null);
      const flight: Program = async () => ((underWay = true), await gate.promise, "F");
      const programs = { hotel: () => "H", flight, pay: () => "never", leave: undo, stay: undo, tell: undo };
      const { on, id } = await begin(programs, trip, { onFailure: "tell" });
      await until(() => underWay);
      await on.commands.cancel(id, "changed my mind");
      await on.commands.cancel(id);
      gate.resolve();
      const run = await on.finished(id);
      expect(undone).toEqual(["stay", "leave"]);
      expect(run.history.at(-1)).toMatchObject({
        type: "run.cancelled",
        reason: "changed my mind",
        undone: ["flight", "hotel"],
      });
    });

    test("parked for a wait are cancelled in the same way", async () => {
      const undone: string[] = [];
      const programs = { hotel: () => "H", pay: () => null, leave: () => (undone.push("leave"), null) };
      const { on, id } = await begin(programs, {
        hotel: { compensate: "leave" },
        pay: { after: [{ step: "hotel", wait: "1h" }] },
        leave: {},
      });
      await until(async () => (await on.runs.load(id))?.status === "parked");
      await on.commands.cancel(id);
      expect((await on.finished(id)).status).toBe("cancelled");
      expect(undone).toEqual(["leave"]);
    });

    test("that were resumed are cancelled once their first step, which nothing tells of yet, has ended", async () => {
      const gate = Promise.withResolvers<void>();
      let underWay = false;
      const undone: string[] = [];
      const programs: Record<string, Program> = {
        hotel: async () => ((underWay = true), await gate.promise, "H"),
        leave: () => (undone.push("leave"), null),
      };
      const { on, id } = await begin(programs, {
        hotel: { after: [{ step: "$trigger", wait: "1500ms" }], compensate: "leave" },
        leave: {},
      });
      await until(async () => (await on.runs.load(id))?.status === "parked");
      await on.commands.pause(id);
      await new Promise((resolve) => setTimeout(resolve, 1_600));
      expect(underWay).toBe(false);
      await on.commands.resume(id);
      await until(() => underWay);
      await on.commands.cancel(id);
      gate.resolve();
      expect((await on.finished(id)).status).toBe("cancelled");
      expect(undone).toEqual(["leave"]);
    });

    test("are cancelled in the same way when whoever invoked them waits no longer", async () => {
      const undone: string[] = [];
      const trips: FunctionDocument = {
        id: "g",
        triggers: [{ event: "g/begin" }],
        steps: {
          hotel: { compensate: "leave" },
          pay: { after: [{ step: "hotel", wait: "1h" }] },
          leave: {},
        },
      };
      const programs = { hotel: () => "H", pay: () => null, leave: () => (undone.push("leave"), null) };
      const call = { call: { invoke: { function: "g" } } };
      const { on, id } = await begin(programs, call, {}, [trips]);
      const invoked = async () => (await on.runs.query({ functionId: "g", limit: 1 })).runs[0];
      await until(async () => (await invoked())?.status === "parked");
      await on.commands.cancel(id);
      await until(async () => (await invoked())?.status === "cancelled");
      expect(undone).toEqual(["leave"]);
    });

    test("undo by functions, which are invoked with what is to be undone, and say what could not be", async () => {
      const booked: FunctionDocument = { id: "g", triggers: [{ event: "g/begin" }], steps: { cancel: {} } };
      const refunds: FunctionDocument = { ...booked, id: "h", steps: { refuse: {} }, retry: { retries: 0 } };
      const given: unknown[] = [];
      const programs: Record<string, Program> = {
        hotel: () => ({ room: 7 }),
        flight: () => "F",
        pay: fail,
        cancel: ({ event }) => (given.push(event.data), null),
        refuse: fail,
      };
      const steps: FunctionDocument["steps"] = {
        hotel: { compensate: "leave" },
        flight: { after: [{ step: "hotel" }], compensate: "stay" },
        pay: { after: [{ step: "flight" }] },
        leave: { invoke: { function: "g", data: { room: "steps.hotel.room" } } },
        stay: { invoke: { function: "h" }, retry: { retries: 0 } },
      };
      const { on, id } = await begin(programs, steps, {}, [booked, refunds]);
      const run = await on.finished(id);
      expect(given).toEqual([{ room: 7 }]);
      expect(run.history.at(-1)).toMatchObject({
        type: "run.failed",
        failure: { step: "pay" },
        undone: ["hotel"],
        notUndone: ["flight"],
      });
      const { runs } = await on.runs.query({ limit: 9 });
      expect(runs.map(({ functionId, status }) => `${functionId} ${status}`).toSorted()).toEqual([
        "f failed",
        "g completed",
        "h failed",
      ]);
    });

    test("emit what undoes a step emits, once, before anything else is undone", async () => {
      const order: string[] = [];
      let host: Host | undefined;
      const say: Program = ({ ctx, event }) => (order.push(`${ctx.stepId} ${event.name}`), null);
      const programs: Record<string, Program> = {
        hotel: () => "H",
        flight: () => "F",
        pay: fail,
        stay: ({ ctx }) => (order.push(ctx.stepId), { emit: [{ name: "trip/off", data: { of: "flight" } }] }),
        leave: async ({ ctx }) => {
          const stored = await host?.events.readEvents({ name: "trip/off", limit: 9 });
          order.push(`${ctx.stepId} ${stored?.length}`);
          return null;
        },
        say,
        tell: () => null,
      };
      const steps = { ...trip, stay: { capabilities: { emit: ["trip/*"] } } };
      const listener = { id: "g", triggers: [{ event: "trip/off" }], steps: { say: {} } };
      const gate = Promise.withResolvers<void>();
      programs["pay"] = async (input, signal) => (await gate.promise, fail(input, signal));
      const { on, id } = await begin(programs, steps, { onFailure: "tell" }, [listener]);
      host = on;
      gate.resolve();
      const run = await on.finished(id);
      await until(() => order.includes("say trip/off"));
      expect(order.filter((one) => !one.startsWith("say"))).toEqual(["stay", "leave 1"]);
      expect(order.filter((one) => one.startsWith("say"))).toEqual(["say trip/off"]);
      expect(run.history.filter(({ type }) => type === "step.emitted")).toHaveLength(1);
    });

    test("do again, when they are retried, what was undone, under another key", async () => {
      const keys: string[] = [];
      let broken = true;
      const programs: Record<string, Program> = {
        hotel: ({ ctx }) => (keys.push(ctx.idempotencyKey), "H"),
        flight: () => "F",
        pay: (input, signal) => (broken ? fail(input, signal) : "paid"),
        leave: () => null,
        stay: () => null,
        tell: () => null,
      };
      const { on, id } = await begin(programs, trip, { onFailure: "tell" });
      expect((await on.finished(id)).status).toBe("failed");
      broken = false;
      await on.commands.retry(id);
      await until(async () => (await on.runs.load(id))?.status === "completed");
      expect(keys).toEqual([`${id}:hotel`, `${id}:hotel~1`]);
    });

    test("go on over an edge from a failure", async () => {
      const programs: Record<string, Program> = {
        charge: fail,
        ship: () => "never",
        ask: ({ ctx }) => ctx.failure?.message ?? null,
      };
      const { on, id } = await begin(programs, {
        charge: {},
        ship: { after: [{ step: "charge" }] },
        ask: { after: [{ step: "charge", on: "failure", if: "failure.code == 'ERR_STEP_FAILED'" }] },
      });
      const run = await on.finished(id);
      expect(run.status).toBe("completed");
      expect(run.history.find((entry) => entry.type === "step.completed")).toMatchObject({
        step: "ask",
        output: "no",
      });
    });
  });
}
