import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { chains, flat, sagas, scenarios } from "./documents.ts";
import { expectedOf } from "./model.ts";
import type { Expected, Scenario } from "./scenario.ts";
import { createStage, type Stage } from "./play.ts";

const numRuns = Number(process.env["MILLRACE_MODEL_RUNS"] ?? 1_000);
const seed = process.env["MILLRACE_MODEL_SEED"];

let stage: Stage;
beforeAll(async () => {
  stage = await createStage();
});
afterAll(() => stage.close());

/** Holds what becomes of runs to the model. */
async function holds(
  arbitrary: fc.Arbitrary<Scenario>,
  same: (scenario: Scenario, expected: Expected) => Promise<void>,
): Promise<void> {
  const property = fc.asyncProperty(arbitrary, async (scenario) => {
    const expected = expectedOf(scenario);
    fc.pre(expected !== undefined);
    await same(scenario, expected);
  });
  await fc.assert(property, { numRuns, ...(seed === undefined ? {} : { seed: Number(seed) }) });
}

describe("whatever the document, and what befalls its run,", () => {
  it("a flow does what the model says, over years in moments", async () => {
    await holds(scenarios, async (scenario, expected) =>
      expect(await stage.play(scenario)).toEqual(expected),
    );
  }, 300_000);

  it("a run that fails or is cancelled undoes what it did, the last that completed first", async () => {
    await holds(sagas, async (scenario, expected) => expect(await stage.play(scenario)).toEqual(expected));
  }, 300_000);

  it("a wait takes no event that a wait before it has taken", async () => {
    await holds(chains, async (scenario, expected) => expect(await stage.play(scenario)).toEqual(expected));
  }, 300_000);

  it("a host that is late counts the events that were stored in time, and no others", async () => {
    await holds(flat, async (scenario, { status, skipped, attempts }) => {
      const became = await stage.play(scenario, 5);
      expect({ ...became, attempts: Object.keys(became.attempts).toSorted() }).toMatchObject({
        status,
        skipped,
        attempts: Object.keys(attempts).toSorted(),
      });
    });
  }, 300_000);
});
