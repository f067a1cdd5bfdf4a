import type { Case } from "millrace:guest/host";
import { fileOf } from "./descriptors.ts";
import { asking } from "./errors.ts";
import { type Options, optionsOf } from "./options.ts";
import { placeOf } from "./place.ts";
import { Stats } from "./stats.ts";

const follow = { symlinkFollow: true };
const noFollow = { symlinkFollow: false };

export function fstatSync(fd: number): Stats {
  return new Stats(fileOf(fd, "fstat").descriptor.stat());
}

function stat(path: unknown, syscall: "stat" | "lstat", options: Options): Stats | undefined {
  try {
    const { root, path: from, shown } = placeOf(path, syscall);
    return new Stats(asking(syscall, shown, () => root.statAt(syscall === "stat" ? follow : noFollow, from)));
  } catch (error) {
    const missing = (error as { code?: string }).code === "ENOENT";
    if (missing && optionsOf(options)["throwIfNoEntry"] === false) return undefined;
    throw error;
  }
}

export function statSync(path: unknown, options?: Options): Stats | undefined {
  return stat(path, "stat", options);
}

export function lstatSync(path: unknown, options?: Options): Stats | undefined {
  return stat(path, "lstat", options);
}

export function existsSync(path: unknown): boolean {
  try {
    stat(path, "stat", undefined);
    return true;
  } catch {
    return false;
  }
}

export function accessSync(path: unknown): void {
  const { root, path: from, shown } = placeOf(path, "access");
  asking("access", shown, () => root.statAt(follow, from));
}

export function utimesSync(path: unknown, accessed: unknown, modified: unknown): void {
  const { root, path: from, shown } = placeOf(path, "utime");
  asking("utime", shown, () => root.setTimesAt(follow, from, timestamp(accessed), timestamp(modified)));
}

/** Seconds, or a Date. */
function timestamp(time: unknown): Case {
  const ms = time instanceof Date ? time.getTime() : Number(time) * 1000;
  const seconds = Math.floor(ms / 1000);
  return { tag: "timestamp", val: { seconds, nanoseconds: Math.round((ms - seconds * 1000) * 1e6) } };
}
