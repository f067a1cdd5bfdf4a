import { spawn } from "node:child_process";
import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { delimiter, join } from "node:path";

/** A program that ran to its end. */
export interface ToolRun {
  /** Null when a signal ended it. */
  readonly code: number | null;
  /** Cut at the front when there is more than is kept. */
  readonly stdout: string;
  readonly stderr: string;
  /** It was ended because it took too long. */
  readonly late: boolean;
}

/** How to run a program. */
export interface ToolOptions {
  readonly cwd: string;
  /** In place of this process's own, where it is given. */
  readonly env?: NodeJS.ProcessEnv;
  /** Aborted: the program and what it started are ended, and the signal's reason is thrown. */
  readonly signal?: AbortSignal | undefined;
  /** 15 minutes by default. */
  readonly timeoutMs?: number | undefined;
}

/** Characters that are kept of each of a program's outputs: its last ones. */
const keptCharacters = 4 * 1024 * 1024;

const longestMs = 15 * 60_000;

/** Runs a program to its end. What it says is kept; throws when it can't be started. */
export async function runTool(
  program: string,
  args: readonly string[],
  { cwd, env, signal, timeoutMs = longestMs }: ToolOptions,
): Promise<ToolRun> {
  signal?.throwIfAborted();
  const windows = process.platform === "win32";
  // A group of its own, so that what a compiler started ends with it.
  const child = spawn(program, args, { cwd, env: env ?? process.env, detached: !windows, stdio: "pipe" });
  const end = (): void => {
    try {
      if (windows || child.pid === undefined) child.kill("SIGKILL");
      else process.kill(-child.pid, "SIGKILL");
    } catch {
      // It has ended by itself.
    }
  };
  child.stdin.on("error", () => {});
  child.stdin.end();
  const stdout = lastOf(child.stdout);
  const stderr = lastOf(child.stderr);
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    end();
  }, timeoutMs);
  signal?.addEventListener("abort", end, { once: true });
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", resolve);
    });
    signal?.throwIfAborted();
    return { code, stdout: stdout(), stderr: stderr(), late };
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", end);
  }
}

function lastOf(stream: NodeJS.ReadableStream): () => string {
  let text = "";
  stream.setEncoding("utf8");
  stream.on("data", (chunk: string) => {
    text = (text + chunk).slice(-keptCharacters);
  });
  return () => text;
}

/** The first program of these names in these folders, and on PATH; absolute. */
export async function findProgram(
  names: readonly string[],
  folders: readonly string[] = [],
): Promise<string | undefined> {
  const path = (process.env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  const endings = process.platform === "win32" ? [".exe", ".cmd"] : [""];
  for (const name of names) {
    for (const folder of [...folders, ...path]) {
      for (const ending of endings) {
        const program = join(folder, name + ending);
        if (await isProgram(program)) return program;
      }
    }
  }
  return undefined;
}

async function isProgram(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    return (await stat(file)).isFile();
  } catch {
    return false;
  }
}
