import { describe, expect, test } from "vitest";
import { systemClock } from "../../../host/clock.ts";
import { createDocuments } from "../../../host/flow-control/documents.ts";
import { openDatabase } from "../../../host/sqlite/database.ts";
import { createSqliteGates } from "../../../host/state/sqlite-gates.ts";
import type { Gates } from "../../../host/state/state.ts";

function counted(gates: Gates) {
  const counts = { load: 0, store: 0 };
  return {
    counts,
    gates: {
      load(key: string) {
        counts.load += 1;
        return gates.load(key);
      },
      store(...args: Parameters<Gates["store"]>) {
        counts.store += 1;
        return gates.store(...args);
      },
    } satisfies Gates,
  };
}

const open = () => createSqliteGates(openDatabase({ file: ":memory:" }), systemClock);
const documentsOn = (gates: Gates) =>
  createDocuments<number>({ gates, clock: systemClock, random: Math.random, remembered: 2 });
const add = (value = 0) => ({ result: value + 1, value: value + 1 });
const look = (value: number | undefined) => ({ result: value });

describe("documents of flow control", () => {
  test("lose no decision of several hosts at once, and each gets its own result", async () => {
    const gates = open();
    const hosts = [documentsOn(gates), documentsOn(gates), documentsOn(gates)];
    const all = await Promise.all(
      Array.from({ length: 300 }, (_, i) => hosts[i % hosts.length]!.change("a", add)),
    );
    expect(all.toSorted((one, other) => one - other)).toEqual(Array.from({ length: 300 }, (_, i) => i + 1));
    expect((await gates.load("a"))?.value).toBe(300);
  });

  test("store decisions that come together as one change, and read no document that they know", async () => {
    const { gates, counts } = counted(open());
    const documents = documentsOn(gates);
    await documents.change("a", add);
    await Promise.all(Array.from({ length: 100 }, () => documents.change("a", add)));
    expect(counts.load).toBe(1);
    expect(counts.store).toBeLessThanOrEqual(3);
    await documents.change("b", add);
    await documents.change("c", add);
    await documents.change("a", add);
    expect(counts.load).toBe(4);
  });

  test("decide nothing on what is not so any more, even if nothing is changed", async () => {
    const gates = open();
    const [one, other] = [documentsOn(gates), documentsOn(gates)];
    await one.change("a", add);
    await other.change("a", add);
    expect(await one.change("a", look)).toBe(2);
    expect(await one.change("none", look)).toBeUndefined();
  });

  test("tell whoever asked that the store failed, and know by then nothing of what it holds", async () => {
    const gates = open();
    let failing = false;
    const documents = documentsOn({
      load: (key) => gates.load(key),
      async store(...args) {
        const revision = await gates.store(...args);
        // The answer is lost on the way.
        if (failing) throw new Error("no answer");
        return revision;
      },
    });
    await documents.change("a", add);
    failing = true;
    const lost = await Promise.allSettled([documents.change("a", add), documents.change("a", add)]);
    expect(lost.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    failing = false;
    expect(await documents.change("a", look)).toBeGreaterThanOrEqual(2);
  });
});
