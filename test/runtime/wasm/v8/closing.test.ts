import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, expect, test } from "vitest";

const cacheDir = mkdtempSync(join(tmpdir(), "millrace-closing-"));
afterAll(() => rmSync(cacheDir, { recursive: true, force: true }));

/** Runs the script to its own end. */
const script = async (...args: string[]): Promise<unknown> => {
  const path = fileURLToPath(new URL("closed.ts", import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [path, cacheDir, ...args], {
    timeout: 30_000,
  });
  return JSON.parse(stdout);
};

test("a closed driver leaves no thread and no timer behind, whatever ran on it", async () => {
  expect(await script("close")).toEqual([1, "ERR_STEP_TIMEOUT", "ERR_STEP_CANCELLED"]);
});

test("a driver with nothing to do does not keep its process alive", async () => {
  expect(await script()).toEqual([1, "ERR_STEP_TIMEOUT"]);
});
