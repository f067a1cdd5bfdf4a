import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, expect, test } from "vitest";

const cacheDir = mkdtempSync(join(tmpdir(), "millrace-closing-"));
afterAll(() => rmSync(cacheDir, { recursive: true, force: true }));

/** Runs a script to its own end; what it printed. */
const script = async (file: string, ...args: string[]): Promise<string> => {
  const path = fileURLToPath(new URL(file, import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [path, cacheDir, "v8", ...args], {
    timeout: 30_000,
  });
  return stdout.trim();
};

test("a closed driver leaves no thread and no timer behind, whatever ran on it", async () => {
  expect(JSON.parse(await script("closed.ts", "close"))).toEqual([
    1,
    "ERR_STEP_TIMEOUT",
    "ERR_STEP_CANCELLED",
  ]);
});

test("a driver with nothing to do does not keep its process alive", async () => {
  expect(JSON.parse(await script("closed.ts"))).toEqual([1, "ERR_STEP_TIMEOUT"]);
});

test("closing waits for threads that become ready meanwhile", async () => {
  expect(await script("closed-early.ts")).toBe("closed");
});
