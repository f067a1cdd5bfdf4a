import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { onTestFinished } from "vitest";

const cli = join(import.meta.dirname, "../../../host/cli/millrace.ts");

/** What a finished command left. */
export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface CommandOptions {
  readonly cwd?: string;
  readonly input?: string | Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
}

/** An environment in which nothing of the caller's decides colours, hosts and keys. */
function environment(more: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const { PATH, HOME, TMPDIR } = process.env;
  return { PATH, HOME, ...(TMPDIR === undefined ? {} : { TMPDIR }), ...more };
}

/** Runs the real command line from source, to its end. */
export async function millrace(args: readonly string[], options: CommandOptions = {}): Promise<Finished> {
  const child = spawn(process.execPath, [cli, ...args], {
    cwd: options.cwd ?? tmpdir(),
    env: environment(options.env),
    stdio: "pipe",
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  // A command that does not read its stdin may be gone before it is written.
  child.stdin.on("error", () => {});
  child.stdin.end(options.input ?? "");
  const [code] = (await once(child, "close")) as [number | null];
  return { code, stdout, stderr };
}

/** A command that runs until it is told to stop. */
export interface Running {
  readonly process: ChildProcess;
  /** All of stdout and stderr so far, without colours. */
  output(): string;
  /** Resolves with the match once the output has one; rejects when the command ends without. */
  until(pattern: RegExp): Promise<RegExpExecArray>;
  /** Resolves with the exit code. */
  readonly ended: Promise<number | null>;
  /** Sends the signal; resolves with the exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/** Starts the real command line from source; it is killed at the end of the test if it still runs. */
export function startMillrace(args: readonly string[], options: CommandOptions = {}): Running {
  const child = spawn(process.execPath, [cli, ...args], {
    cwd: options.cwd ?? tmpdir(),
    env: environment(options.env),
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  const listeners = new Set<() => void>();
  const take = (chunk: string): void => {
    text += chunk;
    for (const listener of listeners) listener();
  };
  child.stdout.setEncoding("utf8").on("data", take);
  child.stderr.setEncoding("utf8").on("data", take);
  const ended = once(child, "close").then(([code]) => code as number | null);
  child.once("close", () => {
    for (const listener of listeners) listener();
  });
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await ended;
  });
  const output = (): string => stripVTControlCharacters(text);
  return {
    process: child,
    ended,
    output,
    until(pattern) {
      return new Promise((resolve, reject) => {
        const look = (): void => {
          const match = pattern.exec(output());
          const over = child.exitCode !== null || child.signalCode !== null;
          if (match === null && !over) return;
          listeners.delete(look);
          if (match === null) reject(new Error(`it ended without ${pattern}:\n${output()}`));
          else resolve(match);
        };
        listeners.add(look);
        look();
      });
    },
    async stop(signal = "SIGTERM") {
      child.kill(signal);
      return ended;
    },
  };
}

/** A folder that is removed at the end of the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "millrace-cli-")));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
