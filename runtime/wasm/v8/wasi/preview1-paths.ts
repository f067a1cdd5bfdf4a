import { directoryOf } from "../tmp/descriptor.ts";
import type { Descriptor } from "../tmp/descriptor.ts";
import { isFault } from "../tmp/fault.ts";
import type { DirectoryNode } from "../tmp/node.ts";
import * as operations from "../tmp/operations.ts";
import { bounds } from "../tmp/bounds.ts";
import type { Tmp } from "../tmp/tmp.ts";
import { errno, errnoOf } from "./errno.ts";
import { accessOf, appendFlag, setTimes, writeFilestat } from "./preview1-files.ts";
import { putU32 } from "./preview1-memory.ts";
import type { Memory } from "./preview1-memory.ts";

/** A folder and a path from there, or the error number that says what is wrong with them. */
type From = { readonly base: DirectoryNode; readonly path: string } | number;

type FromPath = (fd: number, pointer: number, length: number) => From;

/** Gives a descriptor to the guest; undefined when that number is none of `/tmp`'s. */
export interface FileTable {
  get(fd: number): Descriptor | undefined;
  /** Its number: the lowest one that is free. */
  add(descriptor: Descriptor): number;
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

type PathFunction = (...args: never[]) => number;

/**
 * The functions of `wasi_snapshot_preview1` that begin at a folder of the attempt's `/tmp` with a path. `missing` is what
 * to answer for a number that is no descriptor of it.
 */
export function pathFunctions(
  tmp: Tmp,
  files: FileTable,
  memory: Memory,
  missing: (fd: number) => number,
): Readonly<Record<string, PathFunction>> {
  const from: FromPath = (fd, pointer, length) => {
    const self = files.get(fd);
    if (self === undefined) return missing(fd);
    const base = directoryOf(self);
    if (isFault(base)) return errnoOf(base);
    const path = textAt(memory, pointer, length);
    return typeof path === "number" ? path : { base, path };
  };
  return {
    ...changing(tmp, memory, from),
    ...looking(tmp, memory, from),
    path_open: opening(tmp, files, memory, from),
  };
}

function changing({ scratch }: Tmp, memory: Memory, from: FromPath): Record<string, PathFunction> {
  const fromTo = (
    [oldFd, old, oldLength]: readonly [number, number, number],
    [newFd, path, length]: readonly [number, number, number],
    call: (one: Exclude<From, number>, other: Exclude<From, number>) => number,
  ): number => {
    const one = from(oldFd, old, oldLength);
    if (typeof one === "number") return one;
    const other = from(newFd, path, length);
    return typeof other === "number" ? other : call(one, other);
  };
  const simple =
    (change: (scratch: Tmp["scratch"], base: DirectoryNode, path: string) => Parameters<typeof errnoOf>[0]) =>
    (fd: number, pointer: number, length: number): number => {
      const place = from(fd, pointer, length);
      return typeof place === "number" ? place : errnoOf(change(scratch, place.base, place.path));
    };
  return {
    path_create_directory: simple(operations.makeDirectory),
    path_remove_directory: simple(operations.removeDirectory),
    path_unlink_file: simple(operations.removeFile),
    path_rename: (
      oldFd: number,
      old: number,
      oldLength: number,
      newFd: number,
      path: number,
      length: number,
    ) =>
      fromTo([oldFd, old, oldLength], [newFd, path, length], (one, other) =>
        errnoOf(operations.rename(scratch, one, other)),
      ),
    path_link: (
      oldFd: number,
      flags: number,
      old: number,
      oldLength: number,
      newFd: number,
      path: number,
      length: number,
    ) =>
      fromTo([oldFd, old, oldLength], [newFd, path, length], (one, other) =>
        errnoOf(operations.addName(scratch, { ...one, follow: (flags & 1) !== 0 }, other)),
      ),
    path_symlink: (old: number, oldLength: number, fd: number, pointer: number, length: number) => {
      const place = from(fd, pointer, length);
      if (typeof place === "number") return place;
      const target = textAt(memory, old, oldLength);
      if (typeof target === "number") return target;
      return errnoOf(operations.makeLink(scratch, target, place.base, place.path));
    },
  };
}

function looking({ scratch }: Tmp, memory: Memory, from: FromPath): Record<string, PathFunction> {
  return {
    path_readlink: (
      fd: number,
      pointer: number,
      length: number,
      into: number,
      size: number,
      usedPointer: number,
    ) => {
      const place = from(fd, pointer, length);
      if (typeof place === "number") return place;
      const link = operations.readLink(place.base, place.path);
      if (isFault(link)) return errnoOf(link);
      // What does not fit is cut off, as POSIX has it.
      const target = Buffer.from(link.target).subarray(0, size >>> 0);
      new Uint8Array(memory(), into >>> 0, target.length).set(target);
      putU32(memory, usedPointer, target.length);
      return errno.success;
    },
    path_filestat_get: (fd: number, flags: number, pointer: number, length: number, into: number) => {
      const place = from(fd, pointer, length);
      if (typeof place === "number") return place;
      const node = operations.find(place.base, place.path, (flags & 1) !== 0);
      if (isFault(node)) return errnoOf(node);
      writeFilestat(node, new DataView(memory(), into >>> 0, 64));
      return errno.success;
    },
    path_filestat_set_times: (
      fd: number,
      flags: number,
      pointer: number,
      length: number,
      accessed: bigint,
      modified: bigint,
      which: number,
    ) => {
      const place = from(fd, pointer, length);
      if (typeof place === "number") return place;
      const node = operations.find(place.base, place.path, (flags & 1) !== 0);
      return isFault(node) ? errnoOf(node) : setTimes(scratch, node, { accessed, modified, which });
    },
  };
}

function opening(
  { scratch, descriptors }: Tmp,
  files: FileTable,
  memory: Memory,
  from: FromPath,
): PathFunction {
  return (
    fd: number,
    lookup: number,
    pointer: number,
    length: number,
    how: number,
    rights: bigint,
    _inheriting: bigint,
    flags: number,
    fdPointer: number,
  ) => {
    const place = from(fd, pointer, length);
    if (typeof place === "number") return place;
    if (descriptors.isFull()) return errno.mfile;
    const access = accessOf(rights);
    const node = operations.open(scratch, place.base, place.path, {
      follow: (lookup & 1) !== 0,
      create: (how & 1) !== 0,
      directory: (how & 2) !== 0,
      exclusive: (how & 4) !== 0,
      truncate: (how & 8) !== 0,
      write: access.write,
    });
    if (isFault(node)) return errnoOf(node);
    const append = (flags & appendFlag) !== 0;
    const descriptor = descriptors.open(node, { ...access, flags: flags & 0x1f, append });
    putU32(memory, fdPointer, files.add(descriptor));
    return errno.success;
  };
}

function textAt(memory: Memory, pointer: number, length: number): string | number {
  const bytes = new Uint8Array(memory(), pointer >>> 0, length >>> 0);
  if (bytes.length > bounds.pathBytes) return errno.nametoolong;
  try {
    return utf8.decode(bytes);
  } catch {
    return errno.ilseq;
  }
}
