import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { skipped } from "../wasmtime/engine.ts";

const script = fileURLToPath(new URL("fuzz.ts", import.meta.url));

describe.each(["v8", "wasmtime"])("on %s", (engine) => {
  test.skipIf(engine === "wasmtime" && skipped)(
    "four thousand mutated binaries, documents and events each end in a result or a coded failure",
    () => {
      const args = [script, "--engine", engine, "--count", "4000", "--seed", "26"];
      const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
      expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
      expect(stdout).toMatch(new RegExp(`^4000 cases .* on ${engine}`));
    },
  );
});
