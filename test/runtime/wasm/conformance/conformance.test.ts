import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createV8Engine } from "../../../../runtime/wasm/v8/engine.ts";
import type { Engine } from "../../../../runtime/wasm/engine.ts";
import { section } from "../../../documentation.ts";
import { createEngine, skipped } from "../wasmtime/engine.ts";
import { buildGoSuite, findGo, runPackage } from "./go-suite.ts";
import type { GoSuite } from "./go-suite.ts";
import { packages, tableOf } from "./packages.ts";

const version = findGo();
const missing = version === undefined && process.env["CI"] === undefined;
// oxlint-disable-next-line no-console -- whoever runs the tests must see it
if (missing) console.error("THE CONFORMANCE TESTS ARE SKIPPED: they need Go 1.21 or newer.");

const engines = [
  { name: "v8", create: createV8Engine, left: false },
  { name: "wasmtime", create: createEngine, left: skipped },
] as const;

test("the documentation has the table of them", () => {
  const text = section("Steps that were compiled elsewhere");
  const rows = text.split("\n").filter((line) => line.startsWith("| `"));
  const expected = packages.map(({ name, uses, passes, fails = {} }) => {
    const reasons = Object.entries(fails).map(([test, reason]) => `\`${test}\`: ${reason}`);
    return `| \`${name}\` | ${uses} | ${passes} | ${reasons.join("; ")} |`;
  });
  const spaced = (line: string): string => line.replaceAll(/ +/g, " ");
  expect(rows.map(spaced)).toEqual(expected.map(spaced));
});

describe.skipIf(missing)("the tests of Go's standard library", () => {
  let suite: GoSuite;
  beforeAll(async () => {
    if (version === undefined) throw new Error("Go 1.21 or newer is not there");
    suite = await buildGoSuite(version, packages);
  }, 600_000);

  describe.skipIf(engines[0].left)("on v8", () => runAll(engines[0].create));
  describe.skipIf(engines[1].left)("on wasmtime", () => runAll(engines[1].create));

  function runAll(
    create: (options: { readonly cacheDir: string; readonly parallelism: number }) => Engine,
  ): void {
    let engine: Engine;
    let cacheDir: string;
    beforeAll(() => {
      cacheDir = mkdtempSync(join(tmpdir(), "millrace-conformance-"));
      engine = create({ cacheDir, parallelism: 2 });
    });
    afterAll(async () => {
      await engine.close();
      rmSync(cacheDir, { recursive: true });
    });

    test.concurrent.each(packages)(
      "of $name pass, but for those that can't",
      async (tests) => {
        const { passes, fails = {} } = tests;
        const { passed, failed, tail } = await runPackage(engine, suite, tests);
        if (suite.version.startsWith(`${tableOf}.`)) expect(passed.length, tail).toBe(passes);
        else expect(passed.length, tail).toBeGreaterThan(3);
        // Another version of Go may lack some of the tests; those that are there fail.
        const ran = new Set([...passed, ...failed]);
        expect(failed, tail).toEqual(
          Object.keys(fails)
            .filter((test) => ran.has(test))
            .toSorted(),
        );
      },
      // Programs of megabytes are compiled one after another, with what time the machine has left.
      1_200_000,
    );
  }
});
