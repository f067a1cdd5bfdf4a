import { describe, expect, test } from "vitest";
import { functionVersion } from "../../../host/function/define.ts";
import type { FunctionDocument } from "../../../host/function/document.ts";
import { runId, type Host } from "../../../host/index.ts";
import { until } from "../broker/broker-contract.ts";
import type { HostStore } from "../host-store.ts";
import { createGate, deploy, idOf, lastOf, publish, useHosts } from "./flow-control-fixture.ts";

/** How many runs execute steps at once, on every store. */
export function concurrencyContract(
  name: string,
  open: () => Promise<HostStore>,
  { shared }: { readonly shared: boolean },
): void {
  describe(`concurrency on ${name}`, () => {
    const hosts = useHosts(open, shared ? 3 : 1);
    const openAll = (gate: ReturnType<typeof createGate>): (() => void) => {
      const opening = setInterval(gate.open, 2);
      return () => clearInterval(opening);
    };
    const begin = async (on: readonly Host[], ids: readonly string[], data: (i: number) => object) => {
      await Promise.all(ids.map((id, i) => on[i % on.length]!.publish([{ id, name: "a/b", data: data(i) }])));
    };
    const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `e${i}`);

    test("no more than the limit execute at once, and none is left waiting", async () => {
      const gate = createGate();
      const on = await hosts({ a: gate.step }, { concurrency: [{ limit: 3 }] });
      const ids = names(40);
      await begin(on, ids, (n) => ({ n }));
      await until(() => gate.underWay === 3);
      const [host] = on;
      const waits = async (): Promise<number> => {
        const all = await Promise.all(ids.map((id) => host!.runs.load(idOf(id))));
        return all.filter((run) => run?.status === "parked").length;
      };
      await until(async () => (await waits()) === 37);
      const all = await Promise.all(ids.map((id) => host!.runs.load(idOf(id))));
      const queued = all.find((run) => run?.status === "parked");
      expect(queued?.history.at(-1)).toMatchObject({
        type: "run.queued",
        reason: "concurrency: 3 at once",
      });
      expect(queued?.waitsFor).toBe("its turn: concurrency: 3 at once");
      const stop = openAll(gate);
      const ended = await Promise.all(ids.map((id) => host!.finished(idOf(id))));
      stop();
      expect(ended.map(({ status }) => status)).toEqual(Array(40).fill("completed"));
      expect([gate.most, gate.begun]).toEqual([3, 40]);
    });

    test("each key has its own slots, and one that is full fills nobody else's", async () => {
      const gate = createGate();
      const on = await hosts(
        { a: gate.step },
        { concurrency: [{ limit: 2 }, { limit: 1, key: "event.data.user" }] },
      );
      await begin(on, names(20), () => ({ user: "noisy", n: "noisy" }));
      await until(() => gate.underWay === 1);
      await begin(on, ["quiet"], () => ({ user: "quiet", n: "quiet" }));
      await until(() => gate.underWay === 2);
      expect(gate.order).toEqual(["noisy", "quiet"]);
      const stop = openAll(gate);
      const ended = await Promise.all([...names(20), "quiet"].map((id) => on[0]!.finished(idOf(id))));
      stop();
      expect(new Set(ended.map(({ status }) => status))).toEqual(new Set(["completed"]));
      expect(gate.most).toBe(2);
    });

    test("those with the higher priority go first, and then those that came first", async () => {
      const gate = createGate();
      const on = await hosts({ a: gate.step }, { concurrency: [{ limit: 1 }], priority: "event.data.p" });
      const queuedAt = async (id: string): Promise<void> =>
        until(async () => {
          const run = await on[0]!.runs.load(idOf(id));
          return run?.status === "parked";
        });
      await publish(on, [["first", { n: "first" }]]);
      await until(() => gate.underWay === 1);
      for (const [id, p] of [
        ["low", -1],
        ["none", "x"],
        ["zero", 0],
        ["high", 7],
        ["high2", 7],
        ["half", 0.5],
      ] as const) {
        await publish(on, [[id, { n: id, p }]]);
        await queuedAt(id);
      }
      const stop = openAll(gate);
      await Promise.all(
        ["first", "low", "none", "zero", "high", "high2", "half"].map((id) => on[0]!.finished(idOf(id))),
      );
      stop();
      expect(gate.order).toEqual(["first", "high", "high2", "none", "zero", "half", "low"]);
    });

    test("a run that waits for a time has no slot, and asks for one when that has come", async () => {
      const gate = createGate();
      const on = await hosts(
        { a: () => null, b: gate.step },
        {
          concurrency: [{ limit: 1 }],
          steps: { a: {}, b: { after: [{ step: "a", wait: "1500ms" }] } },
        },
      );
      const ids = names(3);
      await begin(on, ids, () => ({}));
      // All of them are past their first step before one has done its second.
      await until(async () => {
        const all = await Promise.all(ids.map((id) => on[0]!.runs.load(idOf(id))));
        return all.every((run) => run?.history.some(({ type }) => type === "step.completed"));
      });
      const stop = openAll(gate);
      const ended = await Promise.all(ids.map((id) => on[0]!.finished(idOf(id))));
      stop();
      expect(ended.map(({ status }) => status)).toEqual(Array(3).fill("completed"));
      expect(gate.most).toBe(1);
    });

    test("what is cancelled, paused, resumed or retried while it waits stands nobody in the way", async () => {
      const gate = createGate();
      const on = await hosts({ a: gate.step }, { concurrency: [{ limit: 1 }] });
      const [host] = on;
      const parks = (id: string): Promise<void> =>
        until(async () => (await host!.runs.load(idOf(id)))?.status === "parked");
      await publish(on, [["e1", {}]]);
      await until(() => gate.underWay === 1);
      for (const id of ["cancelled", "paused", "e2"]) {
        await publish(on, [[id, { n: id }]]);
        await parks(id);
      }
      await host!.commands.cancel(idOf("cancelled"));
      await host!.commands.pause(idOf("paused"));
      gate.open();
      await until(() => gate.order.includes("e2"));
      await host!.commands.resume(idOf("paused"));
      await host!.commands.retry(idOf("cancelled"));
      const stop = openAll(gate);
      for (const id of ["e1", "e2", "paused", "cancelled"]) {
        expect((await host!.finished(idOf(id))).status, id).toBe("completed");
      }
      stop();
      expect(gate.most).toBe(1);
    });

    test("one that has a slot is cancelled, and the next has it", async () => {
      const gate = createGate();
      const on = await hosts({ a: gate.step }, { concurrency: [{ limit: 1 }] });
      await publish(on, [
        ["e1", {}],
        ["e2", {}],
      ]);
      await until(() => gate.underWay === 1);
      const first = gate.order.length;
      await on[0]!.commands.cancel(idOf("e1"));
      await on[0]!.commands.cancel(idOf("e2"));
      await publish(on, [["e3", { n: "e3" }]]);
      await until(() => gate.order.includes("e3"));
      expect(first).toBe(1);
      const stop = openAll(gate);
      expect((await on[0]!.finished(idOf("e3"))).status).toBe("completed");
      stop();
    });

    test("one that waits longer than its startTimeout is cancelled, and its timeout counts from then on", async () => {
      const gate = createGate();
      const on = await hosts({ a: gate.step }, { concurrency: [{ limit: 1 }], startTimeout: "1500ms" });
      await publish(on, [["e1", {}]]);
      await until(() => gate.underWay === 1);
      await publish(on, [["e2", {}]]);
      const run = await on[0]!.finished(idOf("e2"));
      expect(run.status).toBe("cancelled");
      expect(lastOf(run)).toMatchObject({
        reason: "it waited longer than the function's startTimeout for its turn (concurrency: 1 at once)",
      });
      gate.open();
      expect((await on[0]!.finished(idOf("e1"))).status).toBe("completed");
    });

    test("a limit that changes holds for those that wait already", async () => {
      const gate = createGate();
      const on = await hosts({ a: gate.step }, { concurrency: [{ limit: 1 }] });
      const ids = names(8);
      await begin(on, ids, () => ({}));
      await until(() => gate.underWay === 1);
      await until(async () => {
        const all = await Promise.all(ids.map((id) => on[0]!.runs.load(idOf(id))));
        return all.filter((run) => run?.status === "parked").length === 7;
      });
      await deploy(on[0]!, { a: gate.step }, { concurrency: [{ limit: 4 }] });
      await until(() => on.every((host) => host.functions()[0]?.document.concurrency?.[0]?.limit === 4));
      gate.open();
      await until(() => gate.underWay === 4);
      const stop = openAll(gate);
      await Promise.all(ids.map((id) => on[0]!.finished(idOf(id))));
      stop();
      expect(gate.most).toBe(4);
    });

    test("runs of versions that name their limits in another order do not wait for each other", async () => {
      const gate = createGate();
      const limits = ["event.data.user", "event.data.team"].map((key) => ({ limit: 1, key }));
      const flow = { concurrency: limits, priority: "event.data.p" };
      const on = await hosts({ a: gate.step }, flow);
      const parks = (id: string): Promise<void> =>
        until(async () => (await on[0]!.runs.load(idOf(id)))?.status === "parked");
      await publish(on, [["first", { n: "first", user: 0, team: 1 }]]);
      await until(() => gate.underWay === 1);
      // Waits for the slot of its team; by the order of its document it would have that of its user.
      await publish(on, [["old", { n: "old", user: 1, team: 1 }]]);
      await parks("old");
      await deploy(on[0]!, { a: gate.step }, { ...flow, concurrency: limits.toReversed() });
      const newest = on[0]!.functions()[0]!.version;
      await until(() => on.every((host) => host.functions()[0]?.version === newest));
      // The next to have its team's slot; by its document's order it would ask for its user's only then.
      await publish(on, [["new", { n: "new", user: 1, team: 1, p: 10 }]]);
      await parks("new");
      const stop = openAll(gate);
      const ended = await Promise.all(["first", "old", "new"].map((id) => on[0]!.finished(idOf(id))));
      stop();
      expect(ended.map(({ status }) => status)).toEqual(Array(3).fill("completed"));
      expect([gate.most, gate.order]).toEqual([1, ["first", "new", "old"]]);
    });

    test("functions that share a name share its slots", async () => {
      const gate = createGate();
      const shares = { concurrency: [{ limit: 2, scope: "shared" as const, name: "api" }] };
      const on = await hosts({ a: gate.step }, shares);
      const other: FunctionDocument = { id: "g", triggers: [{ event: "a/b" }], steps: { a: {} }, ...shares };
      await on[0]!.deploy([functionVersion(other, {}, 0)]);
      await until(() => on.every((host) => host.functions().length === 2));
      const ids = names(5);
      await begin(on, ids, () => ({}));
      await until(() => gate.underWay === 2);
      const stop = openAll(gate);
      await Promise.all(ids.flatMap((id) => ["f", "g"].map((of) => on[0]!.finished(runId(of, id)))));
      stop();
      expect([gate.most, gate.begun]).toEqual([2, 10]);
    });
  });
}
