import { spawn, spawnSync } from "node:child_process";
import { createServer } from "node:net";

/** A port of the loopback interface that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

/** Makes sure that a program of a Debian package is on PATH: installs it as root, or says what to type. */
export function needProgram(program: string, debianPackage: string): void {
  const found = (): boolean => spawnSync(program, ["--version"]).status === 0;
  if (found()) return;
  const install = ["-c", `apt-get update -qq && apt-get install -y -qq ${debianPackage}`];
  if (process.getuid?.() === 0) spawnSync("sh", install, { stdio: "ignore" });
  if (!found()) throw new Error(`${program} is needed for this bench: sudo apt-get install ${debianPackage}`);
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
): Promise<Started> {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
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
