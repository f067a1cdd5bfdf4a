import { describe, expect, test } from "vitest";
import { command, copyStdin, program } from "../components.ts";
import { createHarness, stepInput } from "../harness.ts";
import type { CreateEngine } from "../harness.ts";
import { boundProcess } from "./process-bounds.ts";

/** Very many attempts at the same time: all come to their end, none gets another's input, and the process stays small. */
export function crowds(createEngine: CreateEngine): void {
  describe("to be many:", () => {
    test("10,000 instances at once", async () => {
      const harness = createHarness(createEngine);
      try {
        const bytes = await program(copyStdin);
        await harness.run(bytes);
        const bounds = boundProcess();
        const results = await Promise.all(
          Array.from({ length: 10_000 }, (_, index) =>
            harness.run(bytes, { input: stepInput({ steps: { index } }) }),
          ),
        );
        const outputs = results.map((result) =>
          result.ok ? (result.output as { steps: { index: number } }).steps.index : -1,
        );
        expect(outputs).toEqual(Array.from({ length: 10_000 }, (_, index) => index));
        await bounds.check();
      } finally {
        await harness.close();
      }
    });

    test("10,000 instances at once, each of the limit's size and every hundredth of them hostile", async () => {
      const harness = createHarness(createEngine);
      try {
        const honest = await program("(i32.const 0)", { pages: 128 });
        const hostile = await command(
          "(loop $more (br_if $more (i32.ne (memory.grow (i32.const 8)) (i32.const -1)))) (unreachable)",
        );
        await harness.run(honest);
        const bounds = boundProcess();
        const limits = { memoryBytes: 8 * 1024 * 1024 };
        const results = await Promise.all(
          Array.from({ length: 10_000 }, (_, index) =>
            harness.run(index % 100 === 0 ? hostile : honest, { limits }),
          ),
        );
        const ends = results.map((result) => (result.ok ? "ok" : result.failure.code));
        expect(ends).toEqual(
          Array.from({ length: 10_000 }, (_, index) => (index % 100 === 0 ? "ERR_STEP_MEMORY" : "ok")),
        );
        await bounds.check();
      } finally {
        await harness.close();
      }
    });

    test("400 that are cancelled together while they run and wait", async () => {
      const harness = createHarness(createEngine);
      try {
        const endless = await program("(loop $more (br $more)) (i32.const 0)");
        await harness.prepare(endless);
        const bounds = boundProcess();
        const controller = new AbortController();
        const attempts = Array.from({ length: 400 }, () =>
          harness.run(endless, { signal: controller.signal }),
        );
        setTimeout(() => controller.abort(), 50);
        for (const attempt of attempts) {
          expect(await attempt).toMatchObject({ failure: { code: "ERR_STEP_CANCELLED", retry: true } });
        }
        await bounds.check();
      } finally {
        await harness.close();
      }
    });
  });
}
