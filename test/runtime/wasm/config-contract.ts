import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { callsGuest } from "./calls-guest.ts";
import { createCallsHarness, returned } from "./calls-harness.ts";
import type { CallsHarness } from "./calls-harness.ts";
import type { CreateEngine } from "./harness.ts";

/** wasi:config in a guest, on every engine. */
export function configContract(name: string, createEngine: CreateEngine): void {
  describe(`wasi:config on ${name}`, () => {
    let guest: Uint8Array;
    let harness: CallsHarness;
    beforeAll(async () => {
      guest = await callsGuest();
      harness = createCallsHarness(createEngine, () => guest);
    });
    afterAll(() => harness.close());

    test("has what the document gives, and nothing else", async () => {
      const code = `return [config.get("region"), config.get("empty"), config.get("none"), config.getAll()];`;
      const values = { region: "Köln", empty: "" };
      expect(returned(await harness.run(code, { capabilities: { config: values } }))).toEqual([
        "Köln",
        "",
        null,
        [
          ["region", "Köln"],
          ["empty", ""],
        ],
      ]);
      expect(returned(await harness.run(code))).toEqual([null, null, null, []]);
    });
  });
}
