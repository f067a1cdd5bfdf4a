import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { cacheFolder } from "../../cache-folder.ts";

/** Where the set-up says in which folder the packages are, so that no test looks, or installs, again. */
export const motoVariable = "MILLRACE_TEST_MOTO";

/** The packages' folder for the tests; undefined where the set-up found none and the tests that need it are skipped. */
export function findMoto(): string | undefined {
  return process.env[motoVariable];
}

const version = "5.2.5";
/** What of moto's server Lambda's API needs. */
const packages = [`moto==${version}`, "flask==3.1.3", "flask-cors==6.0.5", "docker==7.2.0"];

/** Finds moto, which keeps Lambda's functions, versions and aliases, in the cache outside the project, or puts it there. Throws where it can't. */
export function installMoto(): string {
  const tag = `import sys; print(f"py{sys.version_info[0]}.{sys.version_info[1]}")`;
  const python = spawnSync("python3", ["-c", tag], { encoding: "utf8" }).stdout?.trim() || "none";
  const cache = cacheFolder();
  const kept = join(cache, `moto-${version}-${python}`);
  if (existsSync(kept)) return kept;
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, "moto-"));
  try {
    const made = join(folder, "packages");
    spawnSync("python3", ["-m", "pip", "install", "--quiet", "--target", made, ...packages], {
      stdio: "ignore",
    });
    if (existsSync(join(made, "moto", "server.py"))) {
      renameSync(made, kept);
      return kept;
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  throw new Error(
    `moto ${version} could not be installed into ${dirname(kept)} by pip: install python3 and python3-pip.`,
  );
}
