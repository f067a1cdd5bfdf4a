import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Engine, EngineResult } from "../../../../runtime/wasm/engine.ts";
import { digest, program } from "../components.ts";
import { stepInput, testLimits } from "../harness.ts";
import { createEngine, skipped } from "./engine.ts";

describe.skipIf(skipped)("fuel", () => {
  const cacheDir = mkdtempSync(join(tmpdir(), "millrace-fuel-"));
  let engine: Engine;
  beforeAll(() => {
    engine = createEngine({ cacheDir, parallelism: 2, fuel: 1_000_000 });
  });
  afterAll(async () => {
    await engine.close();
    rmSync(cacheDir, { recursive: true, force: true });
  });

  /** Goes round a loop so often. */
  const turn = async (turns: number): Promise<EngineResult> => {
    const bytes = await program(`(local.set $a (i32.const ${turns}))
      (loop $more (br_if $more (local.tee $a (i32.sub (local.get $a) (i32.const 1)))))
      (i32.const 0)`);
    const binary = {
      kind: "component",
      mode: "program",
      imports: [],
      sha256: digest(bytes),
      load: () => Promise.resolve(bytes),
    } as const;
    return engine.execute(binary, { input: stepInput(), limits: testLimits });
  };

  test("that an attempt used is told, and is the same for the same work", async () => {
    const [one, same, more] = await Promise.all([turn(1000), turn(1000), turn(2000)]);
    expect(one).toMatchObject({ ending: { kind: "exited", status: 0 } });
    expect(one.fuel).toBeGreaterThan(1000);
    expect(same.fuel).toBe(one.fuel);
    expect(more.fuel).toBeGreaterThan(one.fuel ?? 0);
  });

  test("that is used up ends the attempt", async () => {
    expect(await turn(10_000_000)).toMatchObject({
      fuel: 1_000_000,
      ending: {
        failure: {
          code: "ERR_STEP_FUEL",
          message: expect.stringMatching(
            /used 1000000 units of fuel and wanted more, over the limit of 1000000/,
          ),
        },
      },
    });
  });
});
