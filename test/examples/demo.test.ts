import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "../../examples");
const entries = await readdir(root, { withFileTypes: true });
const examples = entries
  .filter((entry) => entry.isDirectory() && !entry.name.startsWith("."))
  .map(({ name }) => name);

const readJson = async (name: string, file: string): Promise<any> =>
  JSON.parse(await readFile(join(root, name, file), "utf8"));

test.each(examples)("the demo knows what to send to %s, and what comes of it", async (name) => {
  const { steps } = await readJson(name, "function.json");
  expect((await readJson(name, "event.json")).name).toEqual(expect.any(String));
  const { status, outputs, attempts, skipped = [] } = await readJson(name, "expected.json");
  expect(status).toBe("completed");
  for (const step of [...Object.keys(outputs), ...Object.keys(attempts), ...skipped])
    expect(Object.keys(steps)).toContain(step);
  // Only steps with attempts of their own are counted: items have theirs.
  for (const [step, count] of Object.entries<number>(attempts)) expect(count, step).toBeGreaterThan(0);
});
