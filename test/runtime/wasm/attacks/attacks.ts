import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Engine } from "../../../../runtime/wasm/engine.ts";
import { printing } from "../components.ts";
import { createHarness } from "../harness.ts";
import type { CreateEngine, Harness } from "../harness.ts";
import { abiAttacks } from "./abi.ts";
import { ambientAttacks, networkAttacks, ungrantedAttacks } from "./ambient.ts";
import { attempt } from "./attack.ts";
import type { Attack } from "./attack.ts";
import { crowds } from "./crowd.ts";
import { floodAttacks } from "./floods.ts";
import { handleAttacks } from "./handles.ts";
import { httpAnswers, httpThemes } from "./http.ts";
import { leftovers } from "./leftovers.ts";
import { loopAttacks } from "./loops.ts";
import { malformedAttacks } from "./malformed.ts";
import { memoryAttacks } from "./memory.ts";
import { networkGrantAttacks } from "./network.ts";
import { outputAttacks } from "./output.ts";
import { phaseAttacks } from "./phases.ts";
import { boundProcess } from "./process-bounds.ts";
import { requestAttacks } from "./requests.ts";
import { secretAttacks } from "./secrets.ts";
import { tmpLeftovers, tmpThemes } from "./tmp.ts";

/**
 * What hostile steps try, theme by theme; the same for every engine. A step has no capability but those that an attack
 * names: what asks for another one is refused.
 */
const themes: readonly (readonly [theme: string, attacks: readonly Attack[]])[] = [
  ["to see the host", ambientAttacks],
  ["to reach the network", networkAttacks],
  ["to import what was not granted", ungrantedAttacks],
  ["never to end", loopAttacks],
  ["to take all memory", memoryAttacks],
  ["to flood", floodAttacks],
  ["to lie to the canonical ABI", abiAttacks],
  ["to abuse handles", handleAttacks],
  ["to put out what harms", outputAttacks],
  ["to end where nobody expects it", phaseAttacks],
  ["to be no component", malformedAttacks],
];

/** Holds an engine against hostile steps: each ends as it must, and after each an honest one runs as ever. */
export function attacks(name: Engine["name"], createEngine: CreateEngine): void {
  describe(`on ${name}, a step tries`, () => {
    let harness: Harness;
    let honest: Uint8Array;
    let bounds: ReturnType<typeof boundProcess>;
    beforeAll(async () => {
      harness = createHarness(createEngine);
      honest = await printing("1");
      for (let run = 0; run < 4; run++) await harness.run(honest);
      bounds = boundProcess();
    });
    afterAll(async () => {
      await bounds.check();
      await harness.close();
    });

    for (const [theme, attacks] of [...themes, ...tmpThemes, ...httpThemes]) {
      test.each(attacks)(`${theme}: $name`, async (attack) => {
        await attempt(harness, name, attack);
        expect(await harness.run(honest)).toEqual({ ok: true, output: 1, logs: [] });
        await bounds.check();
      });
    }
    leftovers(() => harness);
    tmpLeftovers(() => harness);
    httpAnswers(() => harness);
    networkGrantAttacks(createEngine);
    secretAttacks(createEngine);
    requestAttacks(createEngine);
    crowds(createEngine);
  });
}
