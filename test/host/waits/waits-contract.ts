import { afterEach, describe, expect, test } from "vitest";
import type { StepInput } from "../../../runtime/input.ts";
import type { EdgeDocument, FunctionDocument } from "../../../host/function/document.ts";
import { functionVersion } from "../../../host/function/define.ts";
import { createHost, runId, type Host } from "../../../host/index.ts";
import type { StoredRun } from "../../../host/state/state.ts";
import { until } from "../broker/broker-contract.ts";
import type { HostStore } from "../host-store.ts";
import { inProcessDrivers, type Program } from "../in-process-driver.ts";

type Steps = FunctionDocument["steps"];

/** What became of each step: its output, or how it ended. */
function ends(run: StoredRun): Record<string, unknown> {
  return Object.fromEntries(
    run.history.flatMap((entry) => {
      if (entry.type === "step.completed") return [[entry.step, entry.output]];
      return entry.type === "step.skipped" ? [[entry.step, "skipped"]] : [];
    }),
  );
}

/** The history's entries about waits, in short. */
function waits(run: StoredRun): string[] {
  return run.history.flatMap((entry) => ("wait" in entry ? [`${entry.wait} ${entry.type.slice(5)}`] : []));
}

const paid = { event: "order/paid", ttl: "1h", match: "async.data.id == event.data.id" };

function edge(step: string, async: NonNullable<EdgeDocument["async"]>, more: object = {}): EdgeDocument {
  return { step, async, ...more };
}

/** What waiting for events promises, on every store. */
export function waitsContract(
  name: string,
  open: () => Promise<HostStore>,
  { outlivesClose }: { readonly outlivesClose: boolean },
): void {
  describe(`waits on ${name}`, () => {
    const cleanups: (() => Promise<unknown>)[] = [];
    afterEach(async () => {
      for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
    });

    const store = async (): Promise<HostStore["config"]> => {
      const opened = await open();
      cleanups.push(() => opened.dispose());
      return opened.config;
    };
    const hostOn = async (
      config: HostStore["config"],
      programs: Readonly<Record<string, Program>> = {},
    ): Promise<Host> => {
      const usual: Record<string, Program> = {};
      for (const step of ["a", "b", "c", "d"]) usual[step] = (input) => input.async?.data ?? step;
      const drivers = inProcessDrivers({ ...usual, ...programs });
      const host = await createHost({ ...config, drivers });
      cleanups.push(() => host.close());
      return host;
    };
    const deploy = (host: Host, steps: Steps, id = "f"): Promise<void> =>
      host.deploy([functionVersion({ id, triggers: [{ event: "order/placed" }], steps }, {}, 0)]);
    const place = async (host: Host, orderId: unknown = 1, functionId = "f"): Promise<string> => {
      const [published] = await host.publish([{ name: "order/placed", data: { id: orderId } }]);
      return runId(functionId, published!.id);
    };
    const pay = (host: Host, orderId: unknown = 1, more: object = {}) =>
      host.publish([{ name: "order/paid", data: { id: orderId, ...more } }]);
    const parked = (host: Host, id: string): Promise<void> =>
      until(async () => (await host.runs.load(id))?.status === "parked");

    test("end with the event that matches: its step gets it, and the step for its absence is skipped", async () => {
      const inputs: StepInput[] = [];
      const host = await hostOn(await store(), { c: (input) => (inputs.push(input), "paid") });
      await deploy(host, {
        a: {},
        c: { after: [edge("a", paid)] },
        d: { after: [edge("a", { ...paid, onTimeout: true })] },
        b: { after: [{ step: "c" }] },
      });
      const id = await place(host, 7);
      await parked(host, id);
      expect(waits((await host.runs.load(id))!)).toEqual(["w1 armed"]);
      await pay(host, 8);
      const [published] = await pay(host, 7, { sum: 3 });
      const run = await host.finished(id);
      // What comes behind the step has the event too.
      expect(ends(run)).toEqual({ a: "a", c: "paid", d: "skipped", b: { id: 7, sum: 3 } });
      expect(waits(run)).toEqual(["w1 armed", "w1 matched"]);
      expect(inputs[0]?.async).toMatchObject({
        id: published!.id,
        name: "order/paid",
        data: { id: 7, sum: 3 },
      });
    });

    test("end with their time, and the step for the event is skipped", async () => {
      const host = await hostOn(await store());
      await deploy(host, {
        c: { after: [edge("$trigger", { ...paid, ttl: "300ms" })] },
        d: { after: [edge("$trigger", { ...paid, ttl: "300ms", onTimeout: true })] },
      });
      const begun = Date.now();
      const run = await host.finished(await place(host));
      expect(Date.now() - begun).toBeGreaterThanOrEqual(300);
      expect(ends(run)).toEqual({ c: "skipped", d: "d" });
      expect(waits(run)).toEqual(["w1 armed", "w1 timedOut"]);
      const armed = run.history.find((entry) => entry.type === "wait.armed");
      const over = run.history.find((entry) => entry.type === "wait.timedOut");
      expect(over!.at).toBeGreaterThanOrEqual(armed!.until);
    });

    test("see an event that was stored after the trigger and before they began, and none before the trigger", async () => {
      const underWay = Promise.withResolvers<void>();
      const gate = Promise.withResolvers<void>();
      const host = await hostOn(await store(), {
        async a() {
          underWay.resolve();
          await gate.promise;
          return "a";
        },
      });
      await deploy(host, { a: {}, c: { after: [edge("a", paid)] } });
      await pay(host, 1, { early: true });
      const id = await place(host);
      await underWay.promise;
      await pay(host, 2);
      await pay(host, 1, { early: false });
      await pay(host, 1, { third: true });
      gate.resolve();
      expect(ends(await host.finished(id))).toEqual({ a: "a", c: { id: 1, early: false } });
    });

    test("of many runs, only the one that waits for this value goes on", async () => {
      const host = await hostOn(await store());
      await deploy(host, { c: { after: [edge("$trigger", paid)] } });
      const values = [1, 1.5, "1", true, null, "", "ü 1"];
      const ids: string[] = [];
      for (const value of values) ids.push(await place(host, value));
      for (const id of ids) await parked(host, id);
      for (const [index, value] of values.entries()) {
        await pay(host, value);
        expect(ends(await host.finished(ids[index]!))).toEqual({ c: { id: value } });
        const { runs } = await host.runs.query({ status: "parked", limit: 10 });
        expect(runs).toHaveLength(values.length - index - 1);
      }
    });

    test("without an equality in the match, or without a match, try every event of the name", async () => {
      const host = await hostOn(await store());
      await deploy(host, {
        c: { after: [edge("$trigger", { event: "order/paid", ttl: "1h", match: "async.data.sum > 5" })] },
        d: { after: [edge("$trigger", { event: "order/shipped", ttl: "1h" })] },
      });
      const id = await place(host);
      await parked(host, id);
      await pay(host, 1, { sum: 5 });
      await pay(host, 1, { sum: "wrong type" });
      await pay(host, 1, { sum: 6 });
      await host.publish([{ name: "order/shipped", data: { by: "sea" } }]);
      expect(ends(await host.finished(id))).toEqual({ c: { id: 1, sum: 6 }, d: { by: "sea" } });
    });

    test("compare with what steps have put out", async () => {
      const host = await hostOn(await store(), { a: () => ({ ref: "r1" }) });
      const match = "async.data.id == output.ref && steps.a.ref == 'r1'";
      await deploy(host, { a: {}, c: { after: [edge("a", { ...paid, match })] } });
      const id = await place(host);
      await parked(host, id);
      await pay(host, "r2");
      await pay(host, "r1");
      expect(ends(await host.finished(id))).toEqual({ a: { ref: "r1" }, c: { id: "r1" } });
    });

    test("of a step that takes any: the first wins, and the rest are cancelled", async () => {
      const host = await hostOn(await store());
      const refused = { ...paid, event: "order/refused" };
      await deploy(host, {
        c: { join: "any", after: [edge("$trigger", paid), edge("$trigger", refused)] },
        d: { after: [{ step: "c" }] },
      });
      const id = await place(host);
      await parked(host, id);
      const { runs } = await host.runs.query({ limit: 10 });
      expect(runs.map(({ waitsFor }) => waitsFor)).toEqual(["event order/paid, event order/refused"]);
      await host.publish([{ name: "order/refused", data: { id: 1, why: "no" } }]);
      const run = await host.finished(id);
      expect(ends(run)).toEqual({ c: { id: 1, why: "no" }, d: { id: 1, why: "no" } });
      expect(waits(run)).toEqual(["w1 armed", "w2 armed", "w2 matched", "w1 cancelled"]);
      await pay(host);
      expect((await host.runs.load(id))?.history).toEqual(run.history);
      expect((await host.runs.query({ limit: 10 })).runs[0]).not.toHaveProperty("waitsFor");
    });

    test("of a step that takes all: it runs once every event has come", async () => {
      const host = await hostOn(await store());
      const packed = { ...paid, event: "order/packed" };
      await deploy(host, { c: { after: [edge("$trigger", paid), edge("$trigger", packed)] } });
      const id = await place(host);
      await parked(host, id);
      await pay(host);
      await until(async () => waits((await host.runs.load(id))!).includes("w1 matched"));
      await host.publish([{ name: "order/packed", data: { id: 1, boxes: 2 } }]);
      expect(ends(await host.finished(id))).toEqual({ c: { id: 1, boxes: 2 } });
    });

    test("with a condition on the event: one that it does not fit ends the wait, and takes no edge", async () => {
      const host = await hostOn(await store());
      await deploy(host, {
        c: { after: [edge("$trigger", paid, { if: "async.data.sum >= 10" })] },
        d: { after: [edge("$trigger", paid, { if: "async.data.sum < 10" })] },
      });
      const id = await place(host);
      await parked(host, id);
      await pay(host, 1, { sum: 3 });
      expect(ends(await host.finished(id))).toEqual({ c: "skipped", d: { id: 1, sum: 3 } });
    });

    test("with a condition on the run alone are not even begun where it does not hold", async () => {
      const host = await hostOn(await store());
      await deploy(host, { a: {}, c: { after: [edge("a", paid, { if: "event.data.id > 5" })] } });
      const run = await host.finished(await place(host));
      expect(ends(run)).toEqual({ a: "a", c: "skipped" });
      expect(waits(run)).toEqual([]);
    });

    test("one behind the other take one event each", async () => {
      const host = await hostOn(await store());
      await deploy(host, {
        c: { after: [edge("$trigger", paid)] },
        d: { after: [edge("c", paid)] },
      });
      const id = await place(host);
      await parked(host, id);
      await pay(host, 1, { n: 1 });
      await until(async () => waits((await host.runs.load(id))!).includes("w2 armed"));
      await parked(host, id);
      await pay(host, 1, { n: 2 });
      expect(ends(await host.finished(id))).toEqual({ c: { id: 1, n: 1 }, d: { id: 1, n: 2 } });
    });

    test("do not take the event that started the run, nor one of an earlier run", async () => {
      const host = await hostOn(await store());
      const placed = { ...paid, event: "order/placed" };
      await deploy(host, { c: { after: [edge("$trigger", placed)] } });
      const first = await place(host);
      await parked(host, first);
      const second = await place(host);
      expect(ends(await host.finished(first))).toEqual({ c: { id: 1 } });
      await parked(host, second);
      expect(waits((await host.runs.load(second))!)).toEqual(["w1 armed"]);
    });

    test("one event ends those of very many runs, and other events do not wait for it", async () => {
      const order: unknown[] = [];
      const host = await hostOn(await store(), {
        c: ({ event }) => order.push((event.data as { readonly id: unknown }).id),
      });
      const count = 5_000;
      await deploy(host, { c: { after: [edge("$trigger", paid)] } });
      const sent = await host.publish(
        Array.from({ length: count }, () => ({ name: "order/placed", data: { id: "all" } })),
      );
      const single = await place(host, "single");
      for (const id of [...sent.map((event) => runId("f", event.id)), single]) await parked(host, id);
      await pay(host, "all");
      await pay(host, "single");
      const late = await place(host, "late");
      await pay(host, "late");
      await host.finished(single);
      await host.finished(late);
      for (const event of sent) await host.finished(runId("f", event.id));
      expect(order).toHaveLength(count + 2);
      // Behind the first hundreds, however many there are.
      expect(Math.max(order.indexOf("single"), order.indexOf("late"))).toBeLessThan(count / 2);
    });

    if (!outlivesClose) return;

    test("count what was stored in their time, though no host was there to see it, nor to see their end", async () => {
      const config = await store();
      const first = await hostOn(config);
      await deploy(first, {
        c: { after: [edge("$trigger", { ...paid, ttl: "1500ms" })] },
        d: { after: [edge("$trigger", { ...paid, ttl: "1500ms", onTimeout: true })] },
      });
      const ids = [await place(first, 1), await place(first, 2)];
      for (const id of ids) await parked(first, id);
      await pay(first, 1);
      await first.close();
      await new Promise((resolve) => setTimeout(resolve, 1_600));
      const second = await hostOn(config);
      await pay(second, 2);
      expect(ends(await second.finished(ids[0]!))).toEqual({ c: { id: 1 }, d: "skipped" });
      expect(ends(await second.finished(ids[1]!))).toEqual({ c: "skipped", d: "d" });
    });

    test("go on after a restart, on the version on which their run began", async () => {
      const config = await store();
      const first = await hostOn(config);
      await deploy(first, { c: { after: [edge("$trigger", paid)] } });
      const id = await place(first);
      await parked(first, id);
      await deploy(first, { d: { after: [edge("$trigger", { ...paid, match: "async.data.sum > 5" })] } });
      await first.close();
      const second = await hostOn(config);
      await pay(second);
      expect(ends(await second.finished(id))).toEqual({ c: { id: 1 } });
    });
  });
}
