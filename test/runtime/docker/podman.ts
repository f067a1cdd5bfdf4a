import { spawn } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createEngine } from "../../../runtime/docker/engine.ts";
import { answers, type Dockerd, ended, lastLine, program, remove, staticBusybox } from "./dockerd.ts";

/** Podman's service with a socket and folders of its own. Undefined, which is said aloud, where none can run; with CI=true that is an error. */
export async function podmanForTests(): Promise<Dockerd | undefined> {
  try {
    return await startPodman();
  } catch (error) {
    if (process.env["CI"] === "true") throw error;
    console.error(`THE TESTS OF PODMAN ARE SKIPPED: ${(error as Error).message}`);
    return undefined;
  }
}

async function startPodman(): Promise<Dockerd> {
  const podman = program("podman");
  const busybox = staticBusybox();
  const runc = program("runc");
  if (podman === undefined || runc === undefined || busybox === undefined) {
    throw new Error(
      "podman, runc and a static busybox are needed: apt-get install podman runc busybox-static.",
    );
  }
  if (process.getuid?.() !== 0) throw new Error("these tests start podman as root.");
  const folder = mkdtempSync(join(tmpdir(), "millrace-podman-"));
  const host = `unix://${join(folder, "podman.sock")}`;
  const own = [
    `--root=${join(folder, "data")}`,
    `--runroot=${join(folder, "run")}`,
    `--tmpdir=${join(folder, "tmp")}`,
    "--storage-driver=vfs",
    "--cgroup-manager=cgroupfs",
    "--events-backend=none",
    `--runtime=${unraised(folder, runc)}`,
  ];
  // It ends with these tests, whatever ends them; and what it leaves where it is started lies there.
  const command = 'log="$1"; shift; exec setpriv --pdeathsig TERM "$@" >"$log" 2>&1';
  const service = ["system", "service", "--time=0", host];
  const args = ["-c", command, "sh", join(folder, "log"), podman, ...own, ...service];
  const child = spawn("sh", args, { stdio: "ignore", cwd: folder });
  const engine = createEngine({ DOCKER_HOST: host });
  const close = async (): Promise<void> => {
    await engine.close();
    await ended(child);
    remove(folder);
  };
  if (await answers(child, engine)) return { host, engine, pid: child.pid ?? 0, busybox, close };
  const why = lastLine(join(folder, "log"));
  await close();
  throw new Error(`podman can't run here: ${why}.`);
}

/**
 * Podman raises the limit of processes, which not every root is allowed: what starts its containers here leaves that as
 * it is.
 */
function unraised(folder: string, runtime: string): string {
  const script = `#!/bin/sh
most=$(sed -n 's/^Max processes *[^ ]* *\\([0-9]*\\).*/\\1/p' /proc/self/limits)
bundle= before=
for word; do [ "$before" = --bundle ] && bundle=$word; before=$word; done
[ -z "$bundle" ] || [ -z "$most" ] ||
  sed -i -E 's/("RLIMIT_NPROC","hard":)[0-9]+(,"soft":)[0-9]+/\\1'$most'\\2'$most'/' "$bundle/config.json"
exec ${runtime} "$@"
`;
  const path = join(folder, "runc");
  writeFileSync(path, script, { mode: 0o755 });
  return path;
}
