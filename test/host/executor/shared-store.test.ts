import { describe, expect, it } from "vitest";
import { headerOfRun } from "../../../host/run/header.ts";
import { runId } from "../../../host/run/run-id.ts";
import { inProcessDrivers } from "../in-process-driver.ts";
import { sharedExecutor } from "./shared-store.ts";

const event = { seq: 1, storedAt: 0, event: { id: "e", name: "a/b", data: {}, ts: 0 } };

describe("on a store that it shares, an executor", () => {
  it("does not take a wake that comes while a run is being handed over for done", async () => {
    const asking = Promise.withResolvers<void>();
    const asked = Promise.withResolvers<void>();
    const { executor, close } = await sharedExecutor({
      steps: { a: { runtime: { type: "docker" } } },
      drivers: new Map(),
      peers: {
        handOver() {
          asking.resolve();
          return asked.promise;
        },
      },
    });
    const started = await executor.handle(event, false);
    await asking.promise;
    // The other host has done its step by now, and hands the run back.
    const woken = await executor.wake(runId("f", "e"));
    asked.resolve();
    expect(await woken.released).toBe("back");
    expect(await started.released).toBe("back");
    await close();
  });

  it("keeps a wake that comes a little early by its own clock, and drops one that is of no timer", async () => {
    const { executor, close } = await sharedExecutor({
      steps: {
        a: {},
        soon: { after: [{ step: "a", wait: "30s" }] },
        later: { after: [{ step: "a", wait: "1h" }] },
      },
      drivers: inProcessDrivers({ a: () => null }),
    });
    const parked = await executor.handle(event, false);
    expect(await parked.released).toBe("done");
    expect(await (await executor.wake(runId("f", "e"))).released).toBe("lost");
    await close();
    const other = await sharedExecutor({
      steps: { a: {}, later: { after: [{ step: "a", wait: "1h" }] } },
      drivers: inProcessDrivers({ a: () => null }),
    });
    expect(await (await other.executor.handle(event, false)).released).toBe("done");
    expect(await (await other.executor.wake(runId("f", "e"))).released).toBe("done");
    await other.close();
  });

  it("sets a parked run's next timer when the one that it was parked with is over, and nothing is to be done yet", async () => {
    const { executor, runs, close } = await sharedExecutor({
      steps: { a: {}, later: { after: [{ step: "a", wait: "1h" }] } },
      drivers: inProcessDrivers({ a: () => null }),
    });
    await (
      await executor.handle(event, false)
    ).released;
    const id = runId("f", "e");
    const stored = (await runs.load(id))!;
    const { revision, wakeAt } = stored;
    const header = headerOfRun(stored);
    // As who resumes a run leaves it: its steps' timers were of no use to it while it was paused.
    const at = Date.now();
    const paused = { type: "run.paused", at } as const;
    const resumed = { type: "run.resumed", at } as const;
    await runs.append(header, revision, [paused, resumed], { status: "parked", wakeAt: at });
    expect(await (await executor.wake(id)).released).toBe("done");
    expect(wakeAt).toBeGreaterThan(at + 3_000_000);
    expect(await runs.load(id)).toMatchObject({ status: "parked", wakeAt });
    await close();
  });

  it("holds a run once when its event comes twice at a time", async () => {
    let executions = 0;
    const end = Promise.withResolvers<null>();
    const answer = Promise.withResolvers<void>();
    let creates = 0;
    const { executor, close } = await sharedExecutor({
      steps: { a: {} },
      drivers: inProcessDrivers({
        a() {
          executions += 1;
          return end.promise;
        },
      }),
      wrap: (runs) => ({
        ...runs,
        async create(...run) {
          const first = creates++ === 0;
          const created = await runs.create(...run);
          if (first) await answer.promise;
          return created;
        },
      }),
    });
    const slow = executor.handle(event, false);
    const quick = await executor.handle(event, true);
    answer.resolve();
    const { released } = await slow;
    end.resolve(null);
    expect([await quick.released, await released]).toEqual(["done", "done"]);
    expect(executions).toBe(1);
    await close();
  });
});
