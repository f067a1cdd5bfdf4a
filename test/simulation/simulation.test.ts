import { describe, expect, it } from "vitest";
import { breaks } from "./breaks.ts";
import { simulate } from "./simulate.ts";

const first = Number(process.env["MILLRACE_SEED"] ?? 1);
const count = Number(process.env["MILLRACE_SEEDS"] ?? 5_000);

describe("hosts on a store that they share", () => {
  it(`keep what they promise, whatever befalls them: ${count} seeds from ${first} on`, async () => {
    let runs = 0;
    for (let seed = first; seed < first + count; seed++) {
      const report = await simulate(seed);
      runs += report.runs;
      const replay = `MILLRACE_SEED=${seed} MILLRACE_SEEDS=1 npm test -- test/simulation, or npm run simulate -- --seed ${seed} --trace`;
      expect(report.violations, replay).toEqual([]);
    }
    expect(runs).toBeGreaterThan(0);
  }, 600_000);

  it("do the same again for the same seed", async () => {
    const hashes = new Set<string>();
    for (let seed = first; seed < first + 20; seed++) {
      const { traceHash, tasks } = await simulate(seed);
      const again = await simulate(seed, { trace: true });
      expect([again.traceHash, again.tasks], `MILLRACE_SEED=${seed}`).toEqual([traceHash, tasks]);
      hashes.add(traceHash);
    }
    expect(hashes.size).toBe(20);
  });
});

describe("a host is found out that", () => {
  /** Far fewer than are simulated each time. */
  const enough = 2_000;

  it.each(Object.keys(breaks))(
    "%s",
    async (name) => {
      let found: readonly string[] = [];
      for (let seed = 1; seed <= enough && found.length === 0; seed++) {
        found = (await simulate(seed, { wrap: breaks[name]! })).violations;
      }
      expect(found.length).toBeGreaterThan(0);
    },
    600_000,
  );
});
