import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { AttemptResult } from "../../../runtime/driver.ts";
import { createHarness } from "./harness.ts";
import type { CreateEngine, Harness } from "./harness.ts";
import { tmpProgram } from "./tmp-component.ts";
import { linesOf } from "./tmp-guest.ts";
import type { FileCalls } from "./tmp-guest.ts";
import { componentContract, preview1Contract } from "./tmp-interfaces.ts";
import { tmpCommand } from "./tmp-preview1.ts";
import { scenarios } from "./tmp-scenarios.ts";

type Calls = (fs: FileCalls) => readonly string[];

const interfaces = [
  ["a preview 1 command", tmpCommand],
  ["a component", tmpProgram],
] as const;

const make = { read: true, write: true, create: true } as const;

/** What a step has of its folder /tmp, on every engine and over both interfaces. */
export function tmpContract(name: string, createEngine: CreateEngine): void {
  describe(`/tmp on ${name}`, () => {
    let harness: Harness;
    beforeAll(() => {
      harness = createHarness(createEngine);
    });
    afterAll(() => harness.close());
    for (const [kind, guest] of interfaces) {
      const run = async (calls: Calls, tmpBytes = 100_000, seed?: string): Promise<AttemptResult> =>
        harness.run(await guest(calls), {
          limits: { tmpBytes },
          capabilities: { tmp: true, ...(seed !== undefined && { seed }) },
        });
      describe(`of ${kind}`, () => contract(run));
    }
    preview1Contract(() => harness);
    componentContract(() => harness);

    test("is not there unless it is granted", async () => {
      const command = await tmpCommand((fs) => [fs.mkdir("a"), fs.open(1, "a", make)]);
      for (const capabilities of [{}, { seed: "1" }]) {
        const result = await harness.run(command, { capabilities });
        expect(linesOf(result)).toEqual(["bad-descriptor", "bad-descriptor"]);
      }
      // A component gets no folder to begin at.
      const program = await tmpProgram((fs) => [fs.mkdir("a")]);
      expect(await harness.run(program)).toMatchObject({
        failure: { code: "ERR_STEP_TRAP", message: expect.stringContaining("handle") },
      });
    });
  });
}

function contract(run: (calls: Calls, tmpBytes?: number, seed?: string) => Promise<AttemptResult>): void {
  test.each(scenarios)("$name", async ({ calls }) => {
    let expected: readonly string[] = [];
    const result = await run((fs) => {
      const pairs = calls(fs);
      expected = pairs.map(([, line]) => line);
      return pairs.map(([call]) => call);
    });
    expect(linesOf(result)).toEqual(expected);
  });

  test("is empty at each attempt", async () => {
    for (let attempt = 0; attempt < 3; attempt++) {
      const result = await run((fs) => [
        fs.list(0),
        fs.mkdir("a"),
        fs.open(1, "a/b", make),
        fs.write(1, 0, "x"),
      ]);
      expect(linesOf(result)).toEqual(["=", "ok", "ok", "ok"]);
    }
  });

  test("has the attempt's times, the same ones with the same seed", async () => {
    const result = await run(
      (fs) => [
        fs.modified("."),
        fs.mkdir("a"),
        fs.modified("a"),
        fs.open(1, "f", make),
        fs.write(1, 0, "text"),
        fs.modified("f"),
      ],
      100_000,
      "one",
    );
    const [root, , folder, , , file] = linesOf(result);
    // The event's, at the start of an attempt whose looks at the clock have not come to a millisecond.
    expect([root, folder, file]).toEqual(Array.from({ length: 3 }, () => "=1700000000000000000"));
    const now = linesOf(await run((fs) => [fs.mkdir("a"), fs.modified("a")]))[1]?.slice(1);
    expect(Math.abs(Number(now) / 1e6 - Date.now())).toBeLessThan(60_000);
  });

  test.each<readonly [what: string, calls: Calls, used: bigint]>([
    ["a file", (fs) => [fs.open(1, "f", make), fs.write(1, 0, "x".repeat(1000))], 1001n],
    ["what is behind a gap", (fs) => [fs.open(1, "f", make), fs.write(1, 999, "x")], 1001n],
    ["a size that was set", (fs) => [fs.open(1, "f", make), fs.resize(1, 1000)], 1001n],
    [
      "a size beyond all memory",
      (fs) => [fs.open(1, "f", make), fs.resize(1, 2n ** 62n)],
      4_611_686_018_427_387_905n,
    ],
    [
      "a gap beyond all memory",
      (fs) => [fs.open(1, "f", make), fs.write(1, 2n ** 62n, "xy")],
      4_611_686_018_427_387_907n,
    ],
    ["links", (fs) => [fs.symlink("x".repeat(998), "ab"), fs.mkdir("c")], 1001n],
    ["names", (fs) => [...Array(5)].map((_, index) => fs.mkdir(`${index}`.repeat(201))), 1005n],
    [
      "a longer name",
      (fs) => [fs.mkdir("a"), fs.symlink("x".repeat(900), "b"), fs.rename("a", "x".repeat(100))],
      1001n,
    ],
    [
      "files that were removed and are open",
      (fs) => [
        fs.open(1, "f", make),
        fs.write(1, 0, "x".repeat(600)),
        fs.unlink("f"),
        fs.open(2, "g", make),
        fs.write(2, 0, "x".repeat(600)),
      ],
      1201n,
    ],
  ])("ends the attempt that puts too much into it: %s", async (_, calls, used) => {
    const failure = {
      code: "ERR_STEP_TMP",
      retry: false,
      message: `The attempt put ${used} bytes into /tmp, over the limit of 1000.`,
    };
    expect(await run(calls, 1000)).toMatchObject({ ok: false, failure });
  });

  test("takes as much as the limit, and again what was given back", async () => {
    const result = await run(
      (fs) => [
        fs.open(1, "f", make),
        fs.write(1, 0, "x".repeat(999)),
        fs.resize(1, 0),
        fs.write(1, 0, "x".repeat(999)),
        fs.unlink("f"),
        fs.close(1),
        fs.open(1, "g", make),
        fs.write(1, 0, "x".repeat(500)),
        fs.open(2, "h", { write: true, create: true }),
        fs.write(2, 0, "x".repeat(498)),
        fs.rename("h", "g"),
        fs.close(1),
        fs.close(2),
        fs.open(1, "g", make),
        fs.write(1, 0, "x".repeat(999)),
      ],
      1000,
    );
    expect(new Set(linesOf(result))).toEqual(new Set(["ok"]));
  });
}
