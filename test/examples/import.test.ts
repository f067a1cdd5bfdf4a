import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { loadProject } from "../../host/build/project.ts";
import { startProject, type ProjectHost } from "../host/build/project-host.ts";

const folder = join(import.meta.dirname, "../../examples/import");
const cache = await mkdtemp(join(tmpdir(), "millrace-import-"));
let host: ProjectHost;
beforeAll(async () => {
  host = await startProject(await loadProject(folder), cache);
  // Its steps are built here.
}, 300_000);
afterAll(async () => {
  await host.close();
  await rm(cache, { recursive: true });
});

async function event(change: object): Promise<object> {
  const given = JSON.parse(await readFile(join(folder, "event.json"), "utf8")) as { data: object };
  return { ...given, data: { ...given.data, ...change } };
}

test("rows that are wrong are told of, and do not stop the others", async () => {
  const run = await host.run(await event({}));
  expect(run).toMatchObject({
    status: "completed",
    output: { sum: 60, imported: 3, wrong: ["row 1 has no account"] },
  });
  expect(run.steps.find(({ id }) => id === "import-row")?.items).toMatchObject({
    total: 4,
    completed: 3,
    failed: 1,
    failures: [{ item: 1, attempts: 1, code: "ERR_STEP_FATAL" }],
  });
});

test("an import whose sum is another one is taken back, row by row, and then the batch", async () => {
  const run = await host.run(await event({ total: 61 }));
  expect(run).toMatchObject({
    status: "failed",
    failure: { step: "balance", message: "60 were imported, and 61 announced" },
    undone: ["import-row", "open-batch"],
  });
  const outputs = new Map(run.steps.map(({ id, output }) => [id, output]));
  expect(outputs.get("discard-batch")).toBe("batch-of-march.csv discarded");
  const removed = outputs.get("remove-row") as string[];
  expect(removed.toSorted()).toEqual(
    [0, 2, 3].map((row) => `batch-of-march.csv/${row} removed, since 60 were imported, and 61 announced`),
  );
});

test("an import with too many wrong rows fails, and is taken back too", async () => {
  const wrong = { account: "", amount: 1 };
  const run = await host.run(await event({ rows: [{ account: "tea", amount: 5 }, wrong, wrong] }));
  expect(run).toMatchObject({
    status: "failed",
    failure: { code: "ERR_ITEMS_FAILED", step: "import-row" },
    undone: ["import-row", "open-batch"],
  });
});
