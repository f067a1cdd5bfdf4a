import { describe, expect, test } from "vitest";
import type { Queues, UnattendedRuns } from "../../../host/state/state.ts";

interface Opened {
  readonly queues: Queues;
  readonly unattended: UnattendedRuns | undefined;
}

/** What the port `state` promises of queues. `reopen` where they outlive the state. */
export function queuesContract(open: () => Opened, reopen?: () => Promise<Opened>): void {
  describe("queues", () => {
    test("hand out runs in the order in which they came, each queue its own", async () => {
      const { queues } = open();
      expect(await queues.next("a_0", 0, 10)).toEqual([]);
      const places: number[] = [];
      for (const [queue, run] of [
        ["a_0", "r1"],
        ["b_-5", "r2"],
        ["a_0", "r3"],
        ["a_0", "r1"],
      ] as const) {
        places.push(await queues.add(queue, run));
      }
      expect(places[0]).toBeGreaterThan(0);
      expect(places).toEqual(places.toSorted((one, other) => one - other));
      const [first, , third, fourth] = places;
      expect(await queues.next("a_0", 0, 10)).toEqual([
        { runId: "r1", place: first },
        { runId: "r3", place: third },
        { runId: "r1", place: fourth },
      ]);
      expect(await queues.next("a_0", first!, 1)).toEqual([{ runId: "r3", place: third }]);
      expect(await queues.next("a_0", fourth!, 10)).toEqual([]);
      expect((await queues.next("b_-5", 0, 10)).map(({ runId }) => runId)).toEqual(["r2"]);
    });

    test("forget what is taken out, and only that", async () => {
      const { queues } = open();
      const first = await queues.add("a_0", "r1");
      const second = await queues.add("a_0", "r2");
      await queues.remove("a_0", first);
      await queues.remove("a_0", first);
      expect(await queues.next("a_0", 0, 10)).toEqual([{ runId: "r2", place: second }]);
      await queues.remove("a_0", second);
      expect(await queues.next("a_0", 0, 10)).toEqual([]);
      expect(await queues.add("a_0", "r3")).toBeGreaterThan(second);
    });

    test("lose no run of many at once", async () => {
      const { queues } = open();
      const runs = Array.from({ length: 300 }, (_, i) => `r${i}`);
      await Promise.all(runs.map((run, i) => queues.add(`q_${i % 3}`, run)));
      const found = await Promise.all([0, 1, 2].map((rank) => queues.next(`q_${rank}`, 0, 1_000)));
      expect(found.map(({ length }) => length)).toEqual([100, 100, 100]);
      expect(new Set(found.flat().map(({ runId }) => runId)).size).toBe(300);
    });

    test("are listed with their first runs where nobody else would look at them", async () => {
      const { queues, unattended } = open();
      for (const [queue, run] of [
        ["b_0", "r1"],
        ["a_7", "r2"],
        ["b_0", "r3"],
      ] as const) {
        await queues.add(queue, run);
      }
      const all = await unattended?.queued();
      if (unattended === undefined) expect(all).toBeUndefined();
      else {
        expect(all).toEqual([
          { queue: "a_7", runId: "r2" },
          { queue: "b_0", runId: "r1" },
        ]);
      }
    });

    if (reopen === undefined) return;

    test("are there after a restart, and give no place out again", async () => {
      const { queues } = open();
      const first = await queues.add("a_0", "r1");
      const second = await queues.add("a_0", "r2");
      await queues.remove("a_0", second);
      const again = await reopen();
      expect(await again.queues.next("a_0", 0, 10)).toEqual([{ runId: "r1", place: first }]);
      expect(await again.queues.add("a_0", "r3")).toBeGreaterThan(second);
    });
  });
}
