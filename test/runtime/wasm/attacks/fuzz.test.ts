import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

test("four thousand mutated binaries, documents and events each end in a result or a coded failure", () => {
  const script = fileURLToPath(new URL("fuzz.ts", import.meta.url));
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [script, "--count", "4000", "--seed", "26"],
    {
      encoding: "utf8",
    },
  );
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(stdout).toMatch(/^4000 cases/);
});
