import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { serveApis } from "../../../examples/local-apis.ts";
import { loadProject } from "../../../host/build/project.ts";
import type { FunctionDocument } from "../../../host/function/document.ts";
import type { Json } from "../../../runtime/json.ts";
import { languages } from "../../../host/function/language.ts";
import { canBuild } from "./find-toolchains.ts";
import { startProject } from "./project-host.ts";

/** expected.json of an example. */
interface Expected {
  readonly status: string;
  readonly outputs: Readonly<Record<string, Json>>;
  readonly attempts: Readonly<Record<string, number>>;
  readonly skipped?: readonly string[];
}

const folder = join(import.meta.dirname, "../../../examples");
const cache = await mkdtemp(join(tmpdir(), "millrace-examples-"));
const all = (await readdir(folder, { withFileTypes: true }))
  .filter((entry) => entry.isDirectory() && !entry.name.startsWith("."))
  .map(({ name }) => name);
/** Examples on other runtimes, and with links, have tests of their own, in test/examples. */
const names: string[] = [];
for (const name of all) if (await isWasm(name)) names.push(name);

afterAll(() => rm(cache, { recursive: true }));

async function readJson<T>(name: string, file: string): Promise<T> {
  return JSON.parse(await readFile(join(folder, name, file), "utf8")) as T;
}

async function isWasm(name: string): Promise<boolean> {
  const { steps } = await readJson<FunctionDocument>(name, "function.json");
  return Object.values(steps).every(
    // One that people answer needs more than events.
    ({ runtime, after = [] }) =>
      (runtime?.type ?? "wasm") === "wasm" && after.every(({ async }) => async?.link === undefined),
  );
}

test("there are examples", () => {
  expect(names).toEqual(
    expect.arrayContaining(["welcome", "order", "typed", "invoice", "abandoned-cart", "daily-report"]),
  );
});

/** Whether the toolchains are there; without them the set-up has said so. */
const canRun = (name: string): boolean => name !== "polyglot" || languages.every(canBuild);

/** One that asks the host for more than others runs on both engines. */
const cases = names
  .filter(canRun)
  .flatMap((name) =>
    (name === "invoice" ? (["auto", "v8"] as const) : (["auto"] as const)).map(
      (engine) => [name, engine] as const,
    ),
  );

test.each(cases)(
  "the example %s does what it says, on the engine %s",
  { timeout: 600_000 },
  async (name, engine) => {
    const loaded = await loadProject(join(folder, name));
    expect(loaded.problems).toEqual([]);
    const { project, secrets, close } = await serveApis(loaded);
    expect(Object.keys(project.eventSchemas).length).toBeGreaterThan(0);
    const host = await startProject(project, cache, engine, secrets);
    try {
      const then = existsSync(join(folder, name, "then.json"))
        ? await readJson<readonly unknown[]>(name, "then.json")
        : [];
      const run = await host.run(await readJson(name, "event.json"), then);
      const completed = run.steps.filter(({ status }) => status === "completed");
      const expected = await readJson<Expected>(name, "expected.json");
      expect({
        status: run.status,
        outputs: Object.fromEntries(completed.map(({ id, output }) => [id, output])),
        // What runs once an item has attempts of items alone.
        attempts: Object.fromEntries(
          completed.flatMap(({ id, attempts, items }) =>
            items === undefined ? [[id, attempts.length] as const] : [],
          ),
        ),
        skipped: run.steps.filter(({ status }) => status === "skipped").map(({ id }) => id),
      }).toEqual({ skipped: [], ...expected });
      expect(JSON.stringify(run)).not.toContain("only-the-host-knows");
    } finally {
      await host.close();
      await close();
    }
  },
);
