import { existsSync, readdirSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";

/** What the process has of what a guest could make it take ever more of. */
interface Holdings {
  readonly threads: number;
  readonly files: number;
  readonly residentBytes: number;
}

/** Threads and files are counted where the system lists them. */
const listed = existsSync("/proc/self/task");

function holdings(): Holdings {
  return {
    threads: listed ? readdirSync("/proc/self/task").length : 0,
    files: listed ? readdirSync("/proc/self/fd").length : 0,
    residentBytes: process.memoryUsage.rss(),
  };
}

/** Above what an engine has when it is warm: threads that end and start meanwhile, memory that is not yet given back. */
const spare: Holdings = { threads: 8, files: 16, residentBytes: 1024 * 1024 * 1024 };

/** Remembers what the process holds now, and later checks that it comes back to about that. */
export function boundProcess(): { check(): Promise<void> } {
  const before = holdings();
  return {
    async check() {
      for (const name of ["threads", "files", "residentBytes"] as const) {
        const most = before[name] + spare[name];
        // A thread that was told to end takes its time.
        for (let left = 200; left > 0 && holdings()[name] > most; left--) await sleep(100);
        expect(holdings()[name], name).toBeLessThanOrEqual(most);
      }
    },
  };
}
