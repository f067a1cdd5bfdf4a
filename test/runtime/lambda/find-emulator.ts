import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { cacheFolder } from "../../cache-folder.ts";
import { installGo } from "../../find-go.ts";

/** Where the set-up says which program it found, so that no test looks, or installs, again. */
export const lambdaEmulatorVariable = "MILLRACE_TEST_LAMBDA_EMULATOR";

/** The program for the tests; undefined where the set-up found none and the tests that need it are skipped. */
export function findLambdaEmulator(): string | undefined {
  return process.env[lambdaEmulatorVariable];
}

const name = "aws-lambda-rie";
/** AWS has no releases of the module, only its commits. It needs Go 1.26.6. */
const version = "v0.0.0-20261030222936-bef5c4ba774d";
const module = `github.com/aws/aws-lambda-runtime-interface-emulator/cmd/${name}@${version}`;

/** Finds AWS's Runtime Interface Emulator on PATH or in the cache outside the project, or puts it there. Throws where it can't. */
export function installLambdaEmulator(): string {
  for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
    const program = join(folder, name);
    if (folder !== "" && existsSync(program)) return program;
  }
  const cache = cacheFolder();
  const kept = join(cache, `${name}-${version}`);
  if (existsSync(kept)) return kept;
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, `${name}-`));
  const made = join(folder, "bin", name);
  const install = (go: string): void => {
    const env = { ...process.env, GOBIN: join(folder, "bin"), GOFLAGS: "" };
    spawnSync(go, ["install", module], { env, stdio: "ignore" });
  };
  try {
    install("go");
    if (!existsSync(made)) {
      // A Go that is missing or too old.
      const programs = installGo();
      if (programs !== undefined) install(join(programs, "go"));
    }
    if (existsSync(made)) {
      renameSync(made, kept);
      return kept;
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  throw new Error(
    `AWS's Lambda Runtime Interface Emulator is not on PATH, and neither go nor pip could install it into ${dirname(kept)}: install ${name}, or Go 1.26.6.`,
  );
}
