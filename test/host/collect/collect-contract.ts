import { afterEach, describe, expect, test } from "vitest";
import type { StepInput } from "../../../runtime/input.ts";
import type { FunctionDocument } from "../../../host/function/document.ts";
import { functionVersion } from "../../../host/function/define.ts";
import { createHost, runId, type Host } from "../../../host/index.ts";
import type { RunSummary, StoredRun } from "../../../host/state/state.ts";
import { until } from "../broker/broker-contract.ts";
import type { HostStore } from "../host-store.ts";
import { inProcessDrivers, type Program } from "../in-process-driver.ts";

type Parts = Partial<FunctionDocument>;

/** The numbers in the data of a run's events, as its step saw them. */
function numbers({ history }: StoredRun): unknown {
  return history.find((entry) => entry.type === "step.completed")?.output;
}

/** The ids of a run's events. */
function eventsOf({ history }: StoredRun): string[] {
  return history.flatMap((entry) => {
    if (entry.type === "run.started") return [entry.event.id];
    return entry.type === "run.collected" ? entry.events.map(({ id }) => id) : [];
  });
}

/** The history without the steps' entries, in short. */
function story({ history }: StoredRun): string[] {
  return history.flatMap((entry) => {
    if (entry.type === "run.begun") return [`begun ${entry.why}`];
    if (entry.type === "run.collected") return [`collected ${entry.events.length}`];
    return entry.type.startsWith("run.") ? [entry.type.slice(4)] : [];
  });
}

/** What batches and debouncing promise, on every store. */
export function collectContract(
  name: string,
  open: () => Promise<HostStore>,
  { outlivesClose }: { readonly outlivesClose: boolean },
): void {
  describe(`collecting events on ${name}`, () => {
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
      const all: Program = ({ event, events }) =>
        (events ?? [event]).map(({ data }) => (data as { n: number }).n);
      const host = await createHost({ ...config, drivers: inProcessDrivers({ a: all, ...programs }) });
      cleanups.push(() => host.close());
      return host;
    };
    const deploy = (host: Host, parts: Parts, more: Parts = {}): Promise<void> => {
      const triggers = [{ event: "order/placed" }];
      return host.deploy([
        functionVersion({ id: "f", triggers, steps: { a: {} }, ...parts, ...more }, {}, 0),
      ]);
    };
    let count = 0;
    /** Resolves to the events' ids. */
    const place = async (host: Host, ...data: readonly object[]): Promise<string[]> => {
      const events = data.map((each) => ({ name: "order/placed", data: { n: ++count, ...each } }));
      return (await host.publish(events)).map(({ id }) => id);
    };
    const runsOf = async (host: Host, eventId?: string): Promise<readonly RunSummary[]> => {
      const all: RunSummary[] = [];
      for (let cursor: string | undefined; ;) {
        const { runs, next } = await host.runs.query({
          limit: 100,
          ...(eventId === undefined ? {} : { eventId }),
          ...(cursor === undefined ? {} : { cursor }),
        });
        all.push(...runs);
        if (next === undefined) return all;
        cursor = next;
      }
    };
    /** The one run that has the event. */
    const runOf = async (host: Host, eventId: string): Promise<StoredRun> => {
      let found: StoredRun | undefined;
      await until(async () => {
        const [run, ...others] = await runsOf(host, eventId);
        expect(others).toEqual([]);
        const loaded = run && (await host.runs.load(run.id));
        // For a moment it may be on its way into a run that has begun without it.
        found = loaded && eventsOf(loaded).includes(eventId) ? loaded : undefined;
        return found !== undefined;
      });
      return found!;
    };
    const has = async (host: Host, eventId: string, events: number): Promise<StoredRun> => {
      await until(async () => {
        const { history } = await runOf(host, eventId);
        const all = history.flatMap((entry) => (entry.type === "run.collected" ? entry.events : []));
        return all.length === events - 1;
      });
      return runOf(host, eventId);
    };

    test("a batch begins with as many events as it may have, and its steps get all of them", async () => {
      const inputs: StepInput[] = [];
      const host = await hostOn(await store(), {
        b: (input) => (inputs.push(input), null),
      });
      count = 0;
      await deploy(host, {
        batch: { maxSize: 3, timeout: "1h" },
        steps: { a: {}, b: { after: [{ step: "a" }] } },
      });
      const ids = [...(await place(host, {}, {})), ...(await place(host, {}))];
      const run = await host.finished((await runOf(host, ids[2]!)).id);
      expect(numbers(run)).toEqual([1, 2, 3]);
      expect(run.eventId).toBe(ids[0]);
      const [input] = inputs;
      expect(input?.events?.map(({ id }) => id)).toEqual(ids);
      expect(input?.event).toEqual(input?.events?.[0]);
      expect(story(run).at(-2)).toBe("begun count");
      for (const id of ids) expect((await runOf(host, id)).id).toBe(run.id);
      // The next one begins the next.
      const [next] = await place(host, {});
      expect((await runOf(host, next!)).id).not.toBe(run.id);
    });

    test("a batch begins with what is there when its time is over", async () => {
      const host = await hostOn(await store());
      count = 0;
      await deploy(host, { batch: { maxSize: 100, timeout: "400ms" } });
      const ids = await place(host, {}, {});
      const run = await host.finished((await runOf(host, ids[0]!)).id);
      expect(numbers(run)).toEqual([1, 2]);
      const collecting = run.history.find((entry) => entry.type === "run.collecting")!;
      const begun = run.history.find((entry) => entry.type === "run.begun")!;
      expect(begun).toMatchObject({ why: "time" });
      expect(begun.at).toBeGreaterThanOrEqual(collecting.at + 400);
    });

    test("events are collected by key; one without it counts as null, and one that is not to be has its own run", async () => {
      const host = await hostOn(await store());
      count = 0;
      const batch = {
        maxSize: 2,
        timeout: "1h",
        key: "data.tenant",
        if: "!(has(data.urgent) && data.urgent)",
      };
      await deploy(host, { batch });
      const ids = await place(
        host,
        { tenant: "a" },
        { tenant: "b" },
        {},
        { tenant: "a", urgent: true },
        { tenant: "b" },
        { tenant: "a" },
        {},
      );
      const runs = await Promise.all(ids.map(async (id) => (await runOf(host, id)).id));
      const ended = await Promise.all(runs.map((id) => host.finished(id)));
      expect(ended.map(numbers)).toEqual([[1, 6], [2, 5], [3, 7], [4], [2, 5], [1, 6], [3, 7]]);
      expect(runs[3]).toBe(runId("f", ids[3]!));
      const keys = ended.map(({ history }) => history.find((entry) => entry.type === "run.collecting"));
      expect(keys.map((entry) => entry?.key)).toEqual(["a", "b", null, undefined, "b", "a", null]);
    });

    test("runs that have begun wait for their turn like others", async () => {
      let [running, most] = [0, 0];
      const host = await hostOn(await store(), {
        async a({ events }) {
          most = Math.max(most, ++running);
          await new Promise((resolve) => void setTimeout(resolve, 100));
          running -= 1;
          return events?.length ?? null;
        },
      });
      const batch = { maxSize: 2, timeout: "1h" };
      await deploy(host, { batch, concurrency: [{ limit: 1, key: "event.data.k" }] });
      const ids = await place(host, {}, {}, {}, {}, {}, {});
      for (const id of ids) expect(numbers(await host.finished((await runOf(host, id)).id))).toBe(2);
      expect(most).toBe(1);
    });

    test("a step may run once an event of a batch", async () => {
      const host = await hostOn(await store(), { b: ({ item, events }) => [item, events?.length] as never });
      count = 0;
      const forEach = { items: "events.map(e, e.data.n)" };
      await deploy(host, { batch: { maxSize: 2, timeout: "1h" }, steps: { b: { forEach } } });
      const [first] = await place(host, {}, {});
      const { history } = await host.finished((await runOf(host, first!)).id);
      const outputs = history.flatMap((entry) => (entry.type === "item.completed" ? [entry.output] : []));
      expect(outputs).toEqual([
        [1, 2],
        [2, 2],
      ]);
    });

    test("a debounce is put off by each event, and gets the last", async () => {
      const host = await hostOn(await store());
      count = 0;
      await deploy(host, { debounce: { period: "600ms", key: "data.doc" } });
      const ids: string[] = [];
      for (let i = 0; i < 4; i++) {
        ids.push(...(await place(host, { doc: 1 })));
        await new Promise((resolve) => void setTimeout(resolve, 150));
      }
      await place(host, { doc: 2 });
      const run = await host.finished((await runOf(host, ids[0]!)).id);
      expect(numbers(run)).toEqual([4]);
      for (const id of ids) expect((await runOf(host, id)).id).toBe(run.id);
      const events = run.history.flatMap((entry) => (entry.type === "run.collected" ? entry.events : []));
      const begun = run.history.find((entry) => entry.type === "run.begun")!;
      const last = run.history.findLast((entry) => entry.type === "run.collected")!;
      expect(events.map(({ id }) => id)).toEqual(ids.slice(1));
      expect(begun.at).toBeGreaterThanOrEqual(last.at + 600);
    });

    test("a debounce begins at its timeout even so", async () => {
      const host = await hostOn(await store());
      await deploy(host, { debounce: { period: "500ms", timeout: "700ms" } });
      const [first] = await place(host, {});
      let over = false;
      const finished = runOf(host, first!)
        .then(({ id }) => host.finished(id))
        .finally(() => (over = true));
      while (!over) {
        await place(host, {});
        await new Promise((resolve) => void setTimeout(resolve, 100));
      }
      const run = await finished;
      const collecting = run.history.find((entry) => entry.type === "run.collecting")!;
      const begun = run.history.find((entry) => entry.type === "run.begun")!;
      expect(begun.at).toBeGreaterThanOrEqual(collecting.at + 700);
      expect(run.history.filter((entry) => entry.type === "run.collected").length).toBeGreaterThan(0);
    });

    test("a run that collects is cancelled, and the next event begins another; going on, it has what it had", async () => {
      const host = await hostOn(await store());
      count = 0;
      await deploy(host, { batch: { maxSize: 3, timeout: "1h" } });
      const [first, second] = await place(host, {}, {});
      const { id } = await has(host, first!, 2);
      await host.commands.cancel(id, "no");
      const [third] = await place(host, {});
      const other = await runOf(host, third!);
      expect(other.id).not.toBe(id);
      await host.commands.retry(id);
      expect(numbers(await host.finished(id))).toEqual([1, 2]);
      expect((await runOf(host, second!)).id).toBe(id);
      expect((await host.runs.load(other.id))?.finishedAt).toBeUndefined();
    });

    test("a paused run collects on, and begins when it is resumed", async () => {
      const host = await hostOn(await store());
      count = 0;
      await deploy(host, { batch: { maxSize: 3, timeout: "1h" } });
      const [first] = await place(host, {});
      const { id } = await has(host, first!, 1);
      await host.commands.pause(id);
      const more = await place(host, {}, {}, {});
      await until(async () => story((await host.runs.load(id))!).includes("begun count"));
      // A host looks at it, and lets it rest.
      await until(async () => (await host.runs.load(id))?.status === "paused");
      expect(numbers((await host.runs.load(id))!)).toBeUndefined();
      expect((await runOf(host, more[2]!)).id).not.toBe(id);
      await host.commands.resume(id);
      expect(numbers(await host.finished(id))).toEqual([1, 2, 3]);
    });

    test("a run that was resumed while it collects goes on to collect", async () => {
      const host = await hostOn(await store());
      count = 0;
      await deploy(host, { batch: { maxSize: 2, timeout: "1h" } });
      const [first] = await place(host, {});
      const { id } = await has(host, first!, 1);
      await host.commands.pause(id);
      await host.commands.resume(id);
      await until(async () => (await host.runs.load(id))?.status === "parked");
      expect(story((await host.runs.load(id))!)).not.toContain("begun time");
      await place(host, {});
      expect(numbers(await host.finished(id))).toEqual([1, 2]);
    });

    test("a run stays on the version on which it began to collect; events of the next have runs of that", async () => {
      const host = await hostOn(await store(), { b: () => "new" });
      count = 0;
      await deploy(host, { batch: { maxSize: 10, timeout: "1s" } });
      const [first] = await place(host, {});
      const old = await has(host, first!, 1);
      await deploy(host, { batch: { maxSize: 2, timeout: "1h" }, steps: { b: {} } });
      const [second] = await place(host, {}, {});
      const other = await runOf(host, second!);
      expect(other.functionVersion).not.toBe(old.functionVersion);
      expect(numbers(await host.finished(other.id))).toBe("new");
      const ended = await host.finished(old.id);
      expect([numbers(ended), ended.functionVersion]).toEqual([[1], old.functionVersion]);
    });

    test("a run goes on to its end when the function takes no more events", async () => {
      const host = await hostOn(await store());
      count = 0;
      await deploy(host, { batch: { maxSize: 10, timeout: "700ms" } });
      const [first] = await place(host, {}, {});
      const { id } = await has(host, first!, 2);
      await host.remove("f");
      expect(numbers(await host.finished(id))).toEqual([1, 2]);
    });

    test("the run's time and its waits count from when it begins; an event that came meanwhile is not missed", async () => {
      const host = await hostOn(await store(), { b: ({ async }) => async?.data ?? null });
      count = 0;
      const batch = { maxSize: 2, timeout: "1h" };
      const async = { event: "order/paid", ttl: "1h", match: "events.exists(e, e.data.n == async.data.n)" };
      await deploy(host, { batch, timeout: "1h", steps: { b: { after: [{ step: "$trigger", async }] } } });
      const [first] = await place(host, {});
      const { id } = await has(host, first!, 1);
      await host.publish([{ name: "order/paid", data: { n: 2, early: true } }]);
      await place(host, {});
      expect(numbers(await host.finished(id))).toEqual({ n: 2, early: true });
    });

    test("an event that cancels is found when the run begins", async () => {
      const host = await hostOn(await store());
      const cancel = [{ event: "order/withdrawn", if: "async.data.doc == event.data.doc" }];
      await deploy(host, { debounce: { period: "500ms", key: "data.doc" }, cancel });
      const [first] = await place(host, { doc: 1 });
      const { id } = await has(host, first!, 1);
      await host.publish([{ name: "order/withdrawn", data: { doc: 1 } }]);
      const run = await host.finished(id);
      expect([run.status, numbers(run)]).toEqual(["cancelled", undefined]);
    });

    test("a batch begins early when its events are as large as they may be", async () => {
      const host = await hostOn(await store(), { a: ({ events }) => events?.length ?? null });
      await deploy(host, { batch: { maxSize: 100, timeout: "1h" } });
      const ids: string[] = [];
      for (let i = 0; i < 18; i++) ids.push(...(await place(host, { text: "x".repeat(250 * 1024) })));
      const run = await host.finished((await runOf(host, ids[0]!)).id);
      expect(story(run)).toContain("begun size");
      expect(numbers(run)).toBe(16);
      expect((await runOf(host, ids[17]!)).finishedAt).toBeUndefined();
    });

    test("many events come with few writes, each in exactly one run", async () => {
      const host = await hostOn(await store());
      count = 0;
      await deploy(host, { batch: { maxSize: 100, timeout: "1h", key: "data.k" } });
      const ids: string[] = [];
      for (let i = 0; i < 10; i++)
        ids.push(...(await place(host, ...Array.from({ length: 60 }, (_, n) => ({ k: n % 3 })))));
      await until(
        async () => (await runsOf(host)).filter(({ finishedAt }) => finishedAt !== undefined).length === 6,
      );
      const runs = await Promise.all((await runsOf(host)).map(({ id }) => host.runs.load(id)));
      const all = runs.flatMap((run) => numbers(run!) as number[]);
      expect(all.toSorted((one, other) => one - other)).toEqual(Array.from({ length: 600 }, (_, i) => i + 1));
      for (const run of runs) {
        expect((numbers(run!) as number[]).length).toBe(100);
        expect(run!.history.filter(({ type }) => type === "run.collected").length).toBeLessThan(50);
      }
    });

    test("a new try with another event keeps the rest of the batch", async () => {
      const host = await hostOn(await store());
      count = 0;
      await deploy(host, { batch: { maxSize: 2, timeout: "1h" } });
      const [first] = await place(host, {}, {});
      const { id } = await host.finished((await runOf(host, first!)).id);
      const again = await host.commands.rerun(id, { name: "order/placed", data: { n: 7 } });
      expect(numbers(await host.finished(again))).toEqual([7, 2]);
    });

    test.runIf(outlivesClose)("what is collected outlives the host, and so does its time", async () => {
      const config = await store();
      const before = await hostOn(config);
      count = 0;
      await deploy(before, { batch: { maxSize: 3, timeout: "1h" } }, {});
      const [first] = await place(before, {}, {});
      const { id } = await has(before, first!, 2);
      await before.close();
      const host = await hostOn(config);
      await place(host, {});
      expect(numbers(await host.finished(id))).toEqual([1, 2, 3]);
    });
  });
}
