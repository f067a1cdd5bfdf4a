import { describe, expect, test } from "vitest";
import type { Gates } from "../../../host/state/state.ts";
import { until } from "../broker/broker-contract.ts";

/** What the port `state` promises of the documents of flow control. `reopen` where they outlive the state. */
export function gatesContract(open: () => Gates, reopen?: () => Promise<Gates>): void {
  describe("documents of flow control", () => {
    test("are as they were stored last", async () => {
      const gates = open();
      expect(await gates.load("a")).toBeUndefined();
      const first = await gates.store("a", { n: 1, runs: ["ä"] }, null);
      expect(await gates.load("a")).toEqual({ revision: first, value: { n: 1, runs: ["ä"] } });
      const second = await gates.store("a", [2], first!);
      expect(await gates.load("a")).toEqual({ revision: second, value: [2] });
      expect(await gates.load("b")).toBeUndefined();
      const long = "Aa0-_".repeat(25);
      expect(await gates.store(long, null, null)).toBeDefined();
      expect((await gates.load(long))?.value).toBeNull();
    });

    test("change only over the revision that the writer has seen", async () => {
      const gates = open();
      expect(await gates.store("a", 1, 1)).toBeUndefined();
      const first = await gates.store("a", 1, null);
      expect(await gates.store("a", 2, null)).toBeUndefined();
      const second = await gates.store("a", 2, first!);
      expect(second).not.toBe(first);
      expect(await gates.store("a", 3, first!)).toBeUndefined();
      expect((await gates.load("a"))?.value).toBe(2);
    });

    test("let one of many writers over the same revision win", async () => {
      const gates = open();
      const race = async (over: number | null): Promise<readonly number[]> => {
        const all = await Promise.all(Array.from({ length: 20 }, (_, n) => gates.store("a", n, over)));
        return all.filter((revision) => revision !== undefined);
      };
      const [first, ...others] = await race(null);
      expect(others).toEqual([]);
      expect(await race(first!)).toHaveLength(1);
    });

    test("go when they need not be kept any more, and give no revision out again", async () => {
      const gates = open();
      const kept = await gates.store("kept", 1, null, 3_600_000);
      const first = await gates.store("a", 1, null, 1);
      await until(async () => (await gates.load("a")) === undefined);
      expect(await gates.store("a", 2, first!)).toBeUndefined();
      const second = await gates.store("a", 3, null);
      expect(second).not.toBe(first);
      expect(await gates.load("a")).toEqual({ revision: second, value: 3 });
      expect(await gates.load("kept")).toEqual({ revision: kept, value: 1 });
    });

    if (reopen === undefined) return;

    test("are there after a restart", async () => {
      const first = await open().store("a", 1, null);
      const again = await reopen();
      expect(await again.load("a")).toEqual({ revision: first, value: 1 });
      expect(await again.store("a", 2, first!)).toBeDefined();
    });
  });
}
