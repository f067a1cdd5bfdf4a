import { describe, expect, test } from "vitest";
import type { StoredRun } from "../../../host/state/state.ts";
import { createHandClock } from "../../hand-clock.ts";
import { until } from "../broker/broker-contract.ts";
import type { HostStore } from "../host-store.ts";
import { createGate, idOf, lastOf, publish, useHosts } from "./flow-control-fixture.ts";

/** Which new runs are admitted, and when, on every store. */
export function admissionContract(
  name: string,
  open: () => Promise<HostStore>,
  { shared }: { readonly shared: boolean },
): void {
  describe(`admission on ${name}`, () => {
    const hosts = useHosts(open, shared ? 3 : 1);
    test("idempotency: a second event with the key has a run that says which was the first", async () => {
      const on = await hosts({ a: () => "done" }, { idempotency: { key: "event.data.order", period: "1h" } });
      await publish(on, [
        ["e1", { order: 1 }],
        ["e2", { order: 1 }],
        ["e3", { order: 2 }],
        ["e4", {}],
        ["e5", {}],
      ]);
      const [host] = on;
      for (const id of ["e1", "e3", "e4"]) {
        expect((await host!.finished(idOf(id))).status, id).toBe("completed");
      }
      const refused = await host!.runs.load(idOf("e2"));
      expect(refused?.status).toBe("cancelled");
      expect(lastOf(refused)).toMatchObject({
        type: "run.cancelled",
        reason: `idempotency: run ${idOf("e1")} was the first in 1h with key 1`,
      });
      expect(lastOf(await host!.runs.load(idOf("e5")))).toMatchObject({
        reason: `idempotency: run ${idOf("e4")} was the first in 1h with key null`,
      });
    });

    test("idempotency: once the period is over the next run is the first of another", async () => {
      const clock = createHandClock();
      const idempotency = { key: "event.data.order", period: "1h" };
      const on = await hosts({ a: () => "done" }, { idempotency }, clock);
      await publish(on, [
        ["e1", { order: 1 }],
        ["e2", { order: 1 }],
      ]);
      clock.advance(3_600_000);
      await publish(on, [
        ["e3", { order: 1 }],
        ["e4", { order: 1 }],
      ]);
      const runs = await Promise.all(["e1", "e2", "e3", "e4"].map((id) => on[0]!.finished(idOf(id))));
      expect(runs.map(({ status }) => status)).toEqual(["completed", "cancelled", "completed", "cancelled"]);
      expect(lastOf(runs[3])).toMatchObject({
        reason: `idempotency: run ${idOf("e3")} was the first in 1h with key 1`,
      });
    });

    test("rateLimit: what is over it is cancelled as it begins, and each key has its own", async () => {
      const on = await hosts(
        { a: () => "done" },
        { rateLimit: { limit: 2, period: "1h", key: "event.data.user" } },
      );
      const events = ["u", "u", "v", "u", "v", "v"].map((user, i) => [`e${i}`, { user }] as const);
      await publish(on, events);
      const runs = await Promise.all(events.map(([id]) => on[0]!.finished(idOf(id))));
      expect(runs.map(({ status }) => status)).toEqual([
        "completed",
        "completed",
        "completed",
        "cancelled",
        "completed",
        "cancelled",
      ]);
      expect(lastOf(runs[3])).toMatchObject({
        reason: `rateLimit: 2 in 1h have begun with key "u", the first of them run ${idOf("e0")}`,
      });
    });

    test("rateLimit: many at once from all hosts are not one more than the limit", async () => {
      let executed = 0;
      const on = await hosts({ a: () => (executed += 1) }, { rateLimit: { limit: 10, period: "1h" } });
      const ids = Array.from({ length: 60 }, (_, i) => `e${i}`);
      await Promise.all(ids.map((id, i) => on[i % on.length]!.publish([{ id, name: "a/b" }])));
      const runs = await Promise.all(ids.map((id) => on[0]!.finished(idOf(id))));
      expect(runs.filter(({ status }) => status === "completed")).toHaveLength(10);
      expect(executed).toBe(10);
    });

    test("singleton, skip: a run is refused while another goes on, and not when that is over", async () => {
      const gate = createGate();
      const on = await hosts({ a: gate.step }, { singleton: { key: "event.data.k", mode: "skip" } });
      await publish(on, [
        ["e1", { k: 1 }],
        ["e2", { k: 1 }],
        ["e3", { k: 2 }],
      ]);
      const [host] = on;
      expect(lastOf(await host!.runs.load(idOf("e2")))).toMatchObject({
        reason: `singleton: run ${idOf("e1")} is not over with key 1`,
      });
      await until(() => gate.underWay === 2);
      gate.open();
      gate.open();
      await host!.finished(idOf("e1"));
      await publish(on, [["e4", { k: 1 }]]);
      await until(() => gate.underWay === 1);
      gate.open();
      expect((await host!.finished(idOf("e4"))).status).toBe("completed");
    });

    test("singleton, cancel: the newer run takes the place of the other", async () => {
      const gate = createGate();
      const on = await hosts({ a: gate.step }, { singleton: { mode: "cancel" } });
      await publish(on, [
        ["e1", {}],
        ["e2", {}],
        ["e3", {}],
      ]);
      const [host] = on;
      for (const [id, by] of [
        ["e1", "e2"],
        ["e2", "e3"],
      ] as const) {
        const run = await host!.finished(idOf(id));
        expect(run.status).toBe("cancelled");
        expect(lastOf(run)).toMatchObject({ reason: `singleton: run ${idOf(by)} took its place` });
      }
      await until(() => gate.begun > 0);
      const finished = host!.finished(idOf("e3"));
      const opening = setInterval(gate.open, 5);
      expect((await finished).status).toBe("completed");
      clearInterval(opening);
      for (let i = 0; i < 3; i++) gate.open();
    });

    test("throttle: each run begins at its own time, none early, and says until when it waits", async () => {
      const begun = new Map<string, number>();
      const on = await hosts(
        { a: ({ event }) => begun.set(event.id, Date.now()).size },
        { throttle: { limit: 3, period: "6s", burst: 2 }, timeout: "2s" },
      );
      await publish(on, [
        ["e1", {}],
        ["e2", {}],
        ["e3", {}],
        ["e4", {}],
      ]);
      const [host] = on;
      const [third, fourth] = await Promise.all(["e3", "e4"].map((id) => host!.runs.load(idOf(id))));
      const entryOf = (run: StoredRun | undefined) => {
        const entry = run?.history[1];
        return entry?.type === "run.queued" ? entry : undefined;
      };
      expect(entryOf(third)?.reason).toBe("throttle: 3 in 6s");
      const times = [entryOf(third)!.until!, entryOf(fourth)!.until!];
      expect(times[1]! - times[0]!).toBeGreaterThanOrEqual(1_999);
      expect(third).toMatchObject({ status: "parked", waitsFor: "its turn: throttle: 3 in 6s" });
      const ended = await Promise.all(["e1", "e2", "e3", "e4"].map((id) => host!.finished(idOf(id))));
      // What they waited does not count for how long they may take.
      expect(ended.map(({ status }) => status)).toEqual(Array(4).fill("completed"));
      expect(begun.get("e3")).toBeGreaterThanOrEqual(times[0]!);
      expect(begun.get("e4")).toBeGreaterThanOrEqual(times[1]!);
      expect(ended[3]!.history.map(({ type }) => type)).toEqual([
        "run.started",
        "run.queued",
        "run.admitted",
        "step.completed",
        "run.completed",
      ]);
    });

    test("throttle: each key has its own times, and a crowd of one puts no other off", async () => {
      const on = await hosts(
        { a: () => null },
        { throttle: { limit: 1, period: "1h", key: "event.data.user" } },
      );
      const crowd = Array.from({ length: 20 }, (_, i) => [`n${i}`, { user: "noisy" }] as const);
      await publish(on, crowd);
      await publish(on, [["quiet", { user: "quiet" }]]);
      expect((await on[0]!.finished(idOf("quiet"))).status).toBe("completed");
      const noisy = await Promise.all(crowd.map(([id]) => on[0]!.runs.load(idOf(id))));
      expect(noisy.filter((run) => run?.status === "parked")).toHaveLength(19);
      const times = noisy.flatMap((run) =>
        run!.history.flatMap((entry) => (entry.type === "run.queued" ? [entry.until!] : [])),
      );
      const apart = times.toSorted((a, b) => a - b).map((at, i, all) => at - (all[i - 1] ?? at));
      expect(new Set(apart.slice(1))).toEqual(new Set([3_600_000]));
    });

    test("throttle: a run that would begin later than its startTimeout allows is cancelled then", async () => {
      const on = await hosts(
        { a: () => null },
        { throttle: { limit: 1, period: "1h" }, startTimeout: "1500ms" },
      );
      await publish(on, [
        ["e1", {}],
        ["e2", {}],
      ]);
      const run = await on[0]!.finished(idOf("e2"));
      expect(run.status).toBe("cancelled");
      expect(lastOf(run)).toMatchObject({
        reason: "it waited longer than the function's startTimeout for its turn (throttle: 1 in 1h)",
      });
      expect(run.finishedAt! - run.createdAt).toBeGreaterThanOrEqual(1_500);
    });

    test("a run that one control refuses takes nothing from the others", async () => {
      const on = await hosts(
        { a: () => "done" },
        {
          idempotency: { key: "event.data.k", period: "1h" },
          rateLimit: { limit: 1, period: "2s", key: "event.data.user" },
        },
      );
      await publish(on, [
        ["e1", { k: 1, user: "u" }],
        ["e2", { k: 2, user: "u" }],
        // The key of the run that was refused is free, and so is what this one did not take.
        ["e3", { k: 2, user: "v" }],
        ["e4", { k: 2, user: "w" }],
        ["e5", { k: 3, user: "w" }],
      ]);
      const runs = await Promise.all(["e1", "e2", "e3", "e4", "e5"].map((id) => on[0]!.finished(idOf(id))));
      expect(runs.map(({ status }) => status)).toEqual([
        "completed",
        "cancelled",
        "completed",
        "cancelled",
        "completed",
      ]);
      expect(lastOf(runs[3])).toMatchObject({ reason: expect.stringMatching(/^idempotency/) as string });
    });
  });
}
