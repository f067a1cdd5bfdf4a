import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";

/** What tells this process from all others, on this machine and elsewhere, before and after a restart of it. */
export function ownName(): string {
  return [machine(), process.pid, startTime(process.pid) ?? ""].join("/");
}

/** Whether the process of that name is known to have ended; one of another machine, or container, never is. */
export function hasEnded(name: string): boolean {
  const [where, pid, started] = name.split("/");
  if (where !== machine()) return false;
  const now = startTime(Number(pid));
  if (now !== undefined) return now !== started;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}

/** This boot of this machine, and the processes that this one can see: numbers of processes mean something there alone. */
function machine(): string {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    return `${boot}-${readlinkSync("/proc/self/ns/pid").replaceAll(/\D/g, "")}`;
  } catch {
    return hostname();
  }
}

/** When a process began, in ticks since the machine was booted; undefined where it can't be told. */
function startTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // Its name, in parentheses, may hold anything.
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  } catch {
    return undefined;
  }
}
