import { afterEach, describe, expect, test } from "vitest";
import { functionVersion } from "../../../host/function/define.ts";
import type { FunctionDocument } from "../../../host/function/document.ts";
import { viewRun } from "../../../host/run/view.ts";
import { createHost, runId, type Host } from "../../../host/index.ts";
import type { StoredRun } from "../../../host/state/state.ts";
import type { Json } from "../../../runtime/json.ts";
import { until } from "../broker/broker-contract.ts";
import type { HostStore } from "../host-store.ts";
import { Failure, inProcessDrivers, type Program } from "../in-process-driver.ts";

interface Item {
  readonly n: number;
}

/** How often each item was recorded as completed. */
function recorded({ history }: StoredRun, step = "each"): ReadonlyMap<number, number> {
  const counts = new Map<number, number>();
  for (const entry of history) {
    if (entry.type !== "item.completed" || entry.step !== step) continue;
    counts.set(entry.item, (counts.get(entry.item) ?? 0) + 1);
  }
  return counts;
}

/** Steps that run once an item of a list, on every store. `length`: of the long list. */
export function itemsContract(name: string, open: () => Promise<HostStore>, length: number): void {
  describe(`items on ${name}`, () => {
    const cleanups: (() => Promise<unknown>)[] = [];
    afterEach(async () => {
      for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
    });

    const host = async (programs: Readonly<Record<string, Program>>): Promise<Host> => {
      const { config, dispose } = await open();
      cleanups.push(dispose);
      const on = await createHost({ ...config, drivers: inProcessDrivers(programs) });
      cleanups.push(() => on.close());
      return on;
    };
    const begin = async (on: Host, steps: FunctionDocument["steps"], data: object): Promise<string> => {
      const document = { id: "f", triggers: [{ event: "a/b" }], steps, retry: { retries: 0 } };
      await on.deploy([functionVersion(document, {}, 0)]);
      const [published] = await on.publish([{ name: "a/b", data }]);
      return runId("f", published!.id);
    };
    const outputOf = async (on: Host, run: StoredRun, step: string): Promise<Json | undefined> => {
      const version = await on.version(run.functionId, run.functionVersion);
      return viewRun(version?.document, run).steps.find(({ id }) => id === step)?.output;
    };
    const rows = (count: number): Item[] => Array.from({ length: count }, (_, n) => ({ n }));

    test("run as many at once as they may, and give their outputs in the list's order", async () => {
      let underWay = 0;
      let most = 0;
      const on = await host({
        each: async ({ item, index }) => {
          most = Math.max(most, (underWay += 1));
          await new Promise((resolve) => setTimeout(resolve, (7 - (index ?? 0)) % 5));
          underWay -= 1;
          return (item as unknown as Item).n * 2;
        },
        sum: ({ steps }) => (steps["each"] as number[]).reduce((sum, n) => sum + n, 0),
      });
      const steps = {
        each: { forEach: { items: "data.rows", concurrency: 3 } },
        sum: { after: [{ step: "each", if: "size(output) == 7" }] },
      };
      const run = await on.finished(await begin(on, steps, { rows: rows(7) }));
      expect(run.status).toBe("completed");
      expect(most).toBe(3);
      expect(await outputOf(on, run, "each")).toEqual([0, 2, 4, 6, 8, 10, 12]);
      expect(await outputOf(on, run, "sum")).toBe(42);
    });

    test("that fail are run again alone", async () => {
      const ran: number[] = [];
      let mended = false;
      const on = await host({
        each: ({ item }) => {
          const { n } = item as unknown as Item;
          ran.push(n);
          if (!mended && n % 3 === 0) throw new Failure({ message: `not ${n}` });
          return n;
        },
      });
      const steps = {
        each: { forEach: { items: "data.rows", onError: "continue" as const, tolerate: "10%" } },
      };
      const id = await begin(on, steps, { rows: rows(10) });
      const failed = await on.finished(id);
      expect(failed.status).toBe("failed");
      const done = [...recorded(failed).keys()];
      mended = true;
      ran.length = 0;
      await on.commands.retry(id);
      await until(async () => (await on.runs.load(id))?.status === "completed");
      const run = (await on.runs.load(id))!;
      expect(ran.toSorted((one, other) => one - other)).toEqual(
        rows(10).flatMap(({ n }) => (done.includes(n) ? [] : [n])),
      );
      expect(recorded(run)).toEqual(new Map(rows(10).map(({ n }) => [n, 1])));
      expect(await outputOf(on, run, "each")).toEqual(rows(10).map(({ n }) => ({ ok: true, output: n })));
    });

    test("wait while their run is paused, and none begins once it is cancelled", async () => {
      const gates = new Map<number, () => void>();
      const on = await host({
        each: ({ index }) => new Promise((resolve) => gates.set(index ?? 0, () => resolve(null))),
      });
      const id = await begin(
        on,
        { each: { forEach: { items: "data.rows", concurrency: 1 } } },
        { rows: rows(3) },
      );
      await until(() => gates.has(0));
      await on.commands.pause(id);
      gates.get(0)!();
      await until(async () => recorded((await on.runs.load(id))!).size === 1);
      expect(gates.size).toBe(1);
      await on.commands.resume(id);
      await until(() => gates.has(1));
      await on.commands.cancel(id);
      const run = await on.finished(id);
      expect(run.status).toBe("cancelled");
      expect([...recorded(run).keys()]).toEqual([0]);
      expect(gates.size).toBe(2);
      gates.get(1)!();
    });

    test("emit events of their own, each stored once, before what comes after the step begins", async () => {
      let stored = 0;
      const heard: number[] = [];
      const on = await host({
        each: ({ item, index }) => {
          const { n } = item as unknown as Item;
          if (n === 2) throw new Failure({ message: "not 2" });
          return { kept: index ?? -1, emit: [{ name: "row/in", data: { n } }] };
        },
        after: async ({ steps: { each } }) => {
          stored = (await on.events.readEvents({ name: "row/in", limit: 99 })).length;
          return each ?? null;
        },
        hear: ({ event }) => (heard.push((event.data as unknown as Item).n), null),
      });
      const listener = { id: "g", triggers: [{ event: "row/in" }], steps: { hear: {} } };
      await on.deploy([functionVersion(listener, {}, 0)]);
      const steps = {
        each: {
          forEach: { items: "data.rows", concurrency: 2, onError: "continue" as const },
          capabilities: { emit: ["row/*"] },
        },
        after: { after: [{ step: "each" }] },
      };
      const run = await on.finished(await begin(on, steps, { rows: rows(5) }));
      expect(stored).toBe(4);
      expect(await outputOf(on, run, "after")).toEqual(
        rows(5).map(({ n }) =>
          n === 2
            ? { ok: false, code: "ERR_STEP_FAILED", message: "not 2" }
            : { ok: true, output: { kept: n } },
        ),
      );
      await until(() => heard.length === 4);
      expect(heard.toSorted((one, other) => one - other)).toEqual([0, 1, 3, 4]);
      const told = run.history.flatMap((entry) => (entry.type === "step.emitted" ? [entry.item] : []));
      expect(new Set(told)).toEqual(new Set([0, 1, 3, 4]));
      expect(told).toHaveLength(4);
    });

    test("of runs that share a limit are those of one run at a time", async () => {
      const underWay = new Map<string, number>();
      let most = 0;
      const on = await host({
        each: async ({ ctx }) => {
          underWay.set(ctx.runId, (underWay.get(ctx.runId) ?? 0) + 1);
          const of = [...underWay.values()].filter((count) => count > 0);
          most = Math.max(most, ...of);
          await new Promise((resolve) => setTimeout(resolve, 3));
          underWay.set(ctx.runId, underWay.get(ctx.runId)! - 1);
          return of.length;
        },
      });
      const document = {
        id: "f",
        triggers: [{ event: "a/b" }],
        steps: { each: { forEach: { items: "data.rows", concurrency: 3 } } },
        concurrency: [{ limit: 1 }],
      };
      await on.deploy([functionVersion(document, {}, 0)]);
      const published = await on.publish([1, 2, 3].map(() => ({ name: "a/b", data: { rows: rows(6) } })));
      for (const { id } of published) {
        const run = await on.finished(runId("f", id));
        expect(run.status).toBe("completed");
        expect(await outputOf(on, run, "each")).toEqual(rows(6).map(() => 1));
      }
      expect(most).toBe(3);
    });

    test("are made of the events of a batch, in the order in which they were stored", async () => {
      const on = await host({ each: ({ item, events }) => [item ?? null, events?.length ?? 0] });
      const document = {
        id: "f",
        triggers: [{ event: "a/b" }],
        steps: { each: { forEach: { items: "events.map(event, event.data.n)" } } },
        batch: { maxSize: 3, timeout: "1h" },
      };
      await on.deploy([functionVersion(document, {}, 0)]);
      await on.publish(rows(3).map((data) => ({ name: "a/b", data: { ...data } })));
      const of = async () => (await on.runs.query({ functionId: "f", limit: 9 })).runs;
      await until(async () => (await of()).some(({ status }) => status === "completed"));
      const [collected, ...others] = await of();
      expect(others).toEqual([]);
      const run = (await on.runs.load(collected!.id))!;
      expect(await outputOf(on, run, "each")).toEqual(rows(3).map(({ n }) => [n, 3]));
    });

    test("that are to be tried again wait while their run is paused, and keep their place", async () => {
      const ran: string[] = [];
      const on = await host({
        each: ({ index, ctx }) => {
          ran.push(`${index}#${ctx.attempt}`);
          if (index === 0 && ctx.attempt === 1) throw new Failure({ retryAfterMs: 1_000 });
          return null;
        },
      });
      const steps = {
        each: { forEach: { items: "data.rows", concurrency: 1 }, retry: { retries: 1 } },
      };
      const id = await begin(on, steps, { rows: rows(2) });
      await until(
        async () => (await on.runs.load(id))?.history.some(({ type }) => type === "item.failed") === true,
      );
      await on.commands.pause(id);
      await new Promise((resolve) => setTimeout(resolve, 1_300));
      expect(ran).toEqual(["0#1"]);
      await on.commands.resume(id);
      expect((await on.finished(id)).status).toBe("completed");
      expect(ran).toEqual(["0#1", "0#2", "1#1"]);
    });

    test("may be many, and what is written of them grows with their number alone", async () => {
      const on = await host({
        each: ({ item }) => (item as unknown as Item).n,
        count: ({ steps }) => (steps["each"] as Json[]).length,
      });
      const steps = {
        each: { forEach: { items: "data.rows", concurrency: 100 } },
        count: { after: [{ step: "each" }] },
      };
      const id = await begin(on, steps, { rows: rows(length) });
      const run = await on.finished(id);
      expect(run.status).toBe("completed");
      expect(recorded(run).size).toBe(length);
      expect(await outputOf(on, run, "count")).toBe(length);
      expect(run.history.length).toBe(length + 5);
    }, 120_000);
  });
}
