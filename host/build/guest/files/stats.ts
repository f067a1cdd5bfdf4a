import type { DescriptorStat } from "millrace:guest/host";

type Kind = DescriptorStat["type"];

function ms({ seconds, nanoseconds }: DescriptorStat["dataAccessTimestamp"]): number {
  return seconds * 1000 + nanoseconds / 1e6;
}

/** What is known of a file, as Node tells it. */
export class Stats {
  readonly #kind: Kind;
  readonly dev = 1;
  readonly mode: number;
  readonly nlink: number;
  readonly uid = 0;
  readonly gid = 0;
  readonly rdev = 0;
  readonly size: number;
  readonly blksize = 4096;
  readonly blocks: number;
  readonly atimeMs: number;
  readonly mtimeMs: number;
  readonly ctimeMs: number;
  readonly birthtimeMs: number;

  constructor(stat: DescriptorStat) {
    this.#kind = stat.type;
    this.mode = stat.type === "directory" ? 0o40755 : stat.type === "symbolic-link" ? 0o120777 : 0o100644;
    this.nlink = stat.linkCount;
    this.size = stat.size;
    this.blocks = Math.ceil(stat.size / 512);
    this.atimeMs = ms(stat.dataAccessTimestamp);
    this.mtimeMs = ms(stat.dataModificationTimestamp);
    this.ctimeMs = ms(stat.statusChangeTimestamp);
    this.birthtimeMs = this.ctimeMs;
  }

  get atime(): Date {
    return new Date(this.atimeMs);
  }
  get mtime(): Date {
    return new Date(this.mtimeMs);
  }
  get ctime(): Date {
    return new Date(this.ctimeMs);
  }
  get birthtime(): Date {
    return new Date(this.birthtimeMs);
  }

  isFile(): boolean {
    return this.#kind === "regular-file";
  }
  isDirectory(): boolean {
    return this.#kind === "directory";
  }
  isSymbolicLink(): boolean {
    return this.#kind === "symbolic-link";
  }
  isFIFO(): boolean {
    return false;
  }
  isSocket(): boolean {
    return false;
  }
  isBlockDevice(): boolean {
    return false;
  }
  isCharacterDevice(): boolean {
    return false;
  }
}

/** A name in a folder, as Node tells it. */
export class Dirent {
  readonly name: string;
  readonly parentPath: string;
  readonly #kind: Kind;

  constructor(name: string, parentPath: string, kind: Kind) {
    this.name = name;
    this.parentPath = parentPath;
    this.#kind = kind;
  }

  isFile(): boolean {
    return this.#kind === "regular-file";
  }
  isDirectory(): boolean {
    return this.#kind === "directory";
  }
  isSymbolicLink(): boolean {
    return this.#kind === "symbolic-link";
  }
}
