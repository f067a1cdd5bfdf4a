import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { cacheFolder } from "../cache-folder.ts";
import { unavailable } from "./unavailable.ts";

/** Makes sure that a program of a Debian package is on PATH: installs it as root, or says what to type. */
export function needProgram(program: string, debianPackage: string, versionFlag = "--version"): void {
  const found = (): boolean => spawnSync(program, [versionFlag]).status === 0;
  if (found()) return;
  const install = ["-c", `apt-get update -qq && apt-get install -y -qq ${debianPackage}`];
  if (process.getuid?.() === 0) spawnSync("sh", install, { stdio: "ignore" });
  if (!found()) throw unavailable(`${program} is needed: sudo apt-get install ${debianPackage}`);
}

/** The path of a program of a Go package, built into the user's cache when it is not there yet. */
export function needGoProgram(goPackage: string, version: string): string {
  const folder = join(cacheFolder(), "bench", `${basename(goPackage)}-${version}`);
  const program = join(folder, basename(goPackage));
  if (existsSync(program)) return program;
  if (spawnSync("go", ["version"]).status !== 0)
    throw unavailable(`Go is needed to build ${goPackage}: put go on PATH`);
  process.stderr.write(`building ${goPackage}@${version}, once; this takes minutes …\n`);
  const { status } = spawnSync("go", ["install", `${goPackage}@${version}`], {
    env: { ...process.env, GOBIN: folder, CGO_ENABLED: "0" },
    stdio: ["ignore", "ignore", "inherit"],
  });
  if (status !== 0) throw unavailable(`go install ${goPackage}@${version} failed`);
  return program;
}

/** A started program, and how to end it. */
export interface Started {
  stop(): Promise<void>;
}

/** Starts a program; resolves once its output contains `ready`. */
export async function startProgram(
  program: string,
  args: readonly string[],
  ready: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Started> {
  const child = spawn(program, args, {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, ...env },
  });
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  let output = "";
  await new Promise<void>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", () => reject(new Error(`${program} ended: ${output}`)));
    child.stdout.on("data", (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-10_000);
      if (output.includes(ready)) resolve();
    });
  });
  return {
    async stop() {
      child.kill("SIGTERM");
      await exited;
    },
  };
}
