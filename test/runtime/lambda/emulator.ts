import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { freePort } from "../../free-port.ts";
import { findLambdaEmulator } from "./find-emulator.ts";

const program = findLambdaEmulator();
/** True where the emulator is missing, which the set-up says aloud. */
export const skipped = program === undefined;

const fixture = (name: string): string =>
  fileURLToPath(new URL(`../../fixtures/lambda/${name}`, import.meta.url));

/** AWS's emulator of Lambda, with one function in it. */
export interface Emulator {
  /** Where its API listens. */
  readonly endpoint: string;
  /** What it and its function have printed. */
  printed(): string;
  close(): Promise<void>;
}

/** How the emulator is started. */
interface EmulatorOptions {
  /** A module with a `handler`; the one that does as it is told by default. */
  readonly handler?: string;
  /** Seconds that an invocation may take. */
  readonly timeout?: number;
  /** Variables of its function. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** Starts the emulator on free ports of loopback; others where somebody else was quicker to take one. */
export async function startEmulator(options: EmulatorOptions = {}): Promise<Emulator> {
  for (let tries = 1; ; tries++) {
    try {
      return await tryToStart(options);
    } catch (error) {
      if (tries === 5 || !(error as Error).message.includes("address already in use")) throw error;
    }
  }
}

async function tryToStart({
  handler = fixture("handler.mjs"),
  timeout = 20,
  environment = {},
}: EmulatorOptions): Promise<Emulator> {
  if (program === undefined) throw new Error("There is no emulator.");
  const port = await freePort();
  const addresses = ["--runtime-interface-emulator-address", `127.0.0.1:${port}`];
  addresses.push("--runtime-api-address", `127.0.0.1:${await freePort()}`);
  const runtime = [process.execPath, fixture("runtime.mjs"), handler];
  const child = spawn(program, [...addresses, ...runtime], {
    env: {
      PATH: process.env["PATH"],
      AWS_LAMBDA_FUNCTION_TIMEOUT: String(timeout),
      ...environment,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let printed = "";
  const keep = (chunk: Buffer): void => void (printed += chunk.toString());
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  const ended = once(child, "close");
  while (!(await listens(port))) {
    if (child.exitCode !== null) {
      await ended;
      throw new Error(`the emulator did not start:\n${printed}`);
    }
    await sleep(20);
  }
  return {
    endpoint: `http://127.0.0.1:${port}`,
    printed: () => printed,
    async close() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

async function listens(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
