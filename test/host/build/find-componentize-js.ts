import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/** Where the set-up says in which folder of packages componentize-js is. */
export const componentizeJsVariable = "MILLRACE_TEST_COMPONENTIZE_JS";

const version = "0.23.0";

/** The folder of packages that has componentize-js; undefined where the set-up could not get it. */
export function componentizeJs(): string | undefined {
  return process.env[componentizeJsVariable];
}

/** Installs componentize-js, of 150 packages, in the cache outside the project; its `node_modules`. */
export function installComponentizeJs(): string {
  const cache = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "millrace");
  const kept = join(cache, `componentize-js-${version}`);
  const packages = join(kept, "node_modules");
  if (existsSync(packages)) return packages;
  mkdirSync(cache, { recursive: true });
  const draft = mkdtempSync(join(cache, "componentize-js-"));
  try {
    writeFileSync(join(draft, "package.json"), '{"private":true}');
    const args = ["install", "--no-audit", "--no-fund", `@bytecodealliance/componentize-js@${version}`];
    const { status, stderr } = spawnSync("npm", args, { cwd: draft, encoding: "utf8", timeout: 600_000 });
    if (status !== 0) throw new Error(`StarlingMonkey: npm could not install componentize-js: ${stderr}`);
    renameSync(draft, kept);
    return packages;
  } catch (error) {
    // Another set-up was faster.
    if (existsSync(packages)) return packages;
    throw error;
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}
