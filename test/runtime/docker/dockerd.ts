import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { createEngine, type DockerEngine } from "../../../runtime/docker/engine.ts";

/** A real engine with its own socket and folders; it has no network, and does not touch the machine's firewall. */
export interface Dockerd {
  /** What DOCKER_HOST is to say. */
  readonly host: string;
  /** A client, for what tests want to know. */
  readonly engine: DockerEngine;
  /** The process's id. */
  readonly pid: number;
  /** A busybox that needs no libraries: images are made of it, and nothing is pulled. */
  readonly busybox: string;
  close(): Promise<void>;
}

/** An engine for a file of tests. Undefined, which is said aloud, where none can run; with CI=true that is an error. */
export async function dockerdForTests(flags: readonly string[] = []): Promise<Dockerd | undefined> {
  try {
    return await startDockerd(flags);
  } catch (error) {
    if (process.env["CI"] === "true") throw error;
    console.error(`THE TESTS OF DOCKER ARE SKIPPED: ${(error as Error).message}`);
    return undefined;
  }
}

/** How long an engine may take to begin, in milliseconds. */
const patienceMs = 60_000;

/** Starts Debian's docker.io. Throws where it can't run. */
async function startDockerd(flags: readonly string[]): Promise<Dockerd> {
  const dockerd = program("dockerd");
  const busybox = staticBusybox();
  if (dockerd === undefined || busybox === undefined) {
    throw new Error("dockerd and a static busybox are needed: apt-get install docker.io busybox-static.");
  }
  if (process.getuid?.() !== 0) throw new Error("dockerd can only be started by root.");
  const folder = mkdtempSync(join(tmpdir(), "millrace-dockerd-"));
  const socket = join(folder, "docker.sock");
  const host = `unix://${socket}`;
  const failures: string[] = [];
  // What works depends on the file system below: vfs copies, and works anywhere.
  for (const driver of ["overlay2", "vfs"]) {
    const child = spawnDockerd(dockerd, folder, [`--host=${host}`, `--storage-driver=${driver}`, ...flags]);
    const engine = createEngine({ DOCKER_HOST: host });
    if (await answers(child, engine)) {
      const close = async (): Promise<void> => {
        await engine.close();
        await ended(child);
        remove(folder);
      };
      return { host, engine, pid: child.pid ?? 0, busybox, close };
    }
    await engine.close();
    await ended(child);
    failures.push(`${driver}: ${lastLine(join(folder, "log"))}`);
  }
  remove(folder);
  throw new Error(`dockerd can't run here: ${failures.join("; ")}.`);
}

function spawnDockerd(dockerd: string, folder: string, flags: readonly string[]): ChildProcess {
  const own = [
    "--iptables=false",
    "--ip6tables=false",
    "--bridge=none",
    `--data-root=${join(folder, "data")}`,
    `--exec-root=${join(folder, "exec")}`,
    `--pidfile=${join(folder, "pid")}`,
  ];
  // It ends with these tests, whatever ends them.
  const command = 'log="$1"; shift; exec setpriv --pdeathsig TERM "$@" >"$log" 2>&1';
  const args = ["-c", command, "sh", join(folder, "log"), dockerd, ...own, ...flags];
  return spawn("sh", args, { stdio: "ignore" });
}

export async function answers(child: ChildProcess, engine: DockerEngine): Promise<boolean> {
  for (const until = Date.now() + patienceMs; Date.now() < until && child.exitCode === null;) {
    const found = await engine.connect().catch(() => undefined);
    if (found !== undefined) return true;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return false;
}

export async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), 15_000);
  await exit;
  clearTimeout(timer);
}

/** An engine that has just ended may still have something mounted. */
export function remove(folder: string): void {
  spawnSync("sh", ["-c", `grep -o " ${folder}[^ ]*" /proc/mounts | sort -r | xargs -r umount -l`]);
  rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
}

export function lastLine(file: string): string {
  try {
    return readFileSync(file, "utf8").trim().split("\n").at(-1) ?? "";
  } catch {
    return "it did not begin";
  }
}

export function program(name: string): string | undefined {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/sbin"];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

/** One that needs no libraries. */
export function staticBusybox(): string | undefined {
  const found = program("busybox");
  return found !== undefined && isStatic(found) ? found : undefined;
}

/** A program that needs a loader names it near its beginning. */
function isStatic(path: string): boolean {
  return !readFileSync(path).subarray(0, 4_096).includes("ld-linux");
}
