import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { builtBinding, platformPackage } from "../../../../runtime/wasm/wasmtime/place.ts";
import { skipped } from "./engine.ts";

const script = fileURLToPath(new URL("../../../../runtime/wasm/wasmtime/packages.ts", import.meta.url));
const workflow = readFileSync(new URL("../../../../.github/workflows/release.yml", import.meta.url), "utf8");
const platforms = [
  "darwin-arm64",
  "darwin-x64",
  "linux-arm64-gnu",
  "linux-x64-gnu",
  "linux-x64-musl",
  "win32-x64-msvc",
];

describe("the packages of a release", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "millrace-packages-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const run = (...args: readonly string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], { encoding: "utf8" });
    return { status, stdout, stderr };
  };
  const read = (path: string): Record<string, unknown> =>
    JSON.parse(readFileSync(join(folder, path), "utf8")) as Record<string, unknown>;
  const write = (path: string, content: object): void => {
    mkdirSync(join(folder, path), { recursive: true });
    writeFileSync(join(folder, path, "package.json"), JSON.stringify(content));
  };
  const packagesOf = (all: readonly string[], version = "1.2.3"): void => {
    for (const name of all)
      write(`packages/wasmtime-${name}`, { name: `@millrace/wasmtime-${name}`, version });
  };
  const depend = () => run("depend", join(folder, "packages"), join(folder, "project"));

  test.skipIf(skipped)("are for one platform each, which npm chooses by", () => {
    expect(run("pack", folder)).toMatchObject({ status: 0, stderr: "" });
    const [own = ""] = readdirSync(folder);
    const { version, license } = JSON.parse(
      readFileSync(new URL("../../../../package.json", import.meta.url), "utf8"),
    ) as Record<string, string>;
    expect(read(join(own, "package.json"))).toMatchObject({
      name: platformPackage(),
      version,
      license,
      os: [process.platform],
      cpu: [process.arch],
      main: "wasmtime.node",
      files: ["wasmtime.node"],
      ...(process.platform === "linux" && { libc: [expect.stringMatching(/^(?:glibc|musl)$/)] }),
    });
    const addon = readFileSync(join(folder, own, "wasmtime.node"));
    expect(addon.equals(readFileSync(builtBinding(process.env) ?? ""))).toBe(true);
  });

  test("are named by millrace, in its own version exactly", () => {
    packagesOf(platforms);
    write("project", { name: "millrace", version: "1.2.3", dependencies: { ms: "1" } });
    expect(depend()).toMatchObject({ status: 0, stderr: "" });
    expect(read("project/package.json")).toEqual({
      name: "millrace",
      version: "1.2.3",
      dependencies: { ms: "1" },
      optionalDependencies: Object.fromEntries(
        platforms.map((name) => [`@millrace/wasmtime-${name}`, "1.2.3"]),
      ),
    });
  });

  test.each([
    ["one lacks", platforms.slice(1), "1.2.3", /no package for darwin-arm64/],
    ["they are of another version", platforms, "1.2.2", /is of version 1.2.2, not 1.2.3/],
  ])("are not named where %s", (_, all, version, message) => {
    packagesOf(all, version);
    write("project", { name: "millrace", version: "1.2.3" });
    expect(depend()).toMatchObject({ status: 1, stderr: expect.stringMatching(message) });
    expect(read("project/package.json")).toEqual({ name: "millrace", version: "1.2.3" });
  });

  test("are built by as many jobs of the release", () => {
    expect(workflow.match(/^ +- \{ on: /gm)).toHaveLength(platforms.length);
  });
});
