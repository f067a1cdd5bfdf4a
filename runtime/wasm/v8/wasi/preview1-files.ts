import { directoryOf } from "../tmp/descriptor.ts";
import type { Descriptor } from "../tmp/descriptor.ts";
import { isFault } from "../tmp/fault.ts";
import { sizeOf } from "../tmp/node.ts";
import type { Node } from "../tmp/node.ts";
import { tmpPath } from "../tmp/tmp.ts";
import type { Tmp } from "../tmp/tmp.ts";
import { errno, errnoOf } from "./errno.ts";
import { contentFunctions } from "./preview1-content.ts";
import type { FileFunction } from "./preview1-content.ts";
import { fileTypes, listDirectory } from "./preview1-listing.ts";
import { putU32 } from "./preview1-memory.ts";
import type { Memory } from "./preview1-memory.ts";

/** fdflags: bytes go to the file's end. */
export const appendFlag = 1;

const readRight = 1n << 1n;
const writeRight = 1n << 6n;
const allRights = (1n << 30n) - 1n;
/** What a file that can't be written to lacks: fd_datasync, fd_write, fd_allocate, fd_filestat_set_size. */
const writeRights = (1n << 0n) | writeRight | (1n << 8n) | (1n << 22n);
/** What a folder has: two calls for descriptors, fd_readdir, fd_filestat_get and _set_times, and paths but for their sizes. */
const folderRights = 0x7b7_fe18n;

/** The rights for which preview 1 opens something, as what may be done with it. */
export function accessOf(rights: bigint): { readonly read: boolean; readonly write: boolean } {
  return { read: (rights & readRight) !== 0n, write: (rights & writeRight) !== 0n };
}

const done = (): number => errno.success;

/** The functions of `wasi_snapshot_preview1` that begin with an open file or folder of the attempt's `/tmp`. */
export function fileFunctions(tmp: Tmp, memory: Memory): Readonly<Record<string, FileFunction>> {
  const { scratch } = tmp;
  return {
    ...contentFunctions(tmp, memory),
    fd_datasync: done,
    fd_sync: done,
    fd_fdstat_get: (self, pointer: number) => {
      writeFdstat(self, new DataView(memory(), pointer >>> 0, 24));
      return errno.success;
    },
    fd_fdstat_set_flags: (self, flags: number) => {
      self.flags = flags & 0x1f;
      self.append = (flags & appendFlag) !== 0;
      return errno.success;
    },
    fd_fdstat_set_rights: () => errno.notsup,
    fd_filestat_get: ({ node }, pointer: number) => {
      writeFilestat(node, new DataView(memory(), pointer >>> 0, 64));
      return errno.success;
    },
    fd_filestat_set_times: ({ node }, accessed: bigint, modified: bigint, which: number) =>
      setTimes(scratch, node, { accessed, modified, which }),
    fd_readdir: (self, pointer: number, length: number, cookie: bigint, usedPointer: number) => {
      const directory = directoryOf(self);
      if (isFault(directory)) return errnoOf(directory);
      const into = new Uint8Array(memory(), pointer >>> 0, length >>> 0);
      putU32(memory, usedPointer, listDirectory(directory, into, BigInt.asUintN(64, cookie)));
      return errno.success;
    },
    fd_prestat_get: ({ node }, pointer: number) => {
      if (node !== scratch.root) return errno.badf;
      putU32(memory, pointer, 0);
      putU32(memory, pointer + 4, tmpPath.length);
      return errno.success;
    },
    fd_prestat_dir_name: ({ node }, pointer: number, length: number) => {
      if (node !== scratch.root) return errno.badf;
      if (length >>> 0 < tmpPath.length) return errno.nametoolong;
      new Uint8Array(memory(), pointer >>> 0, tmpPath.length).set(Buffer.from(tmpPath));
      return errno.success;
    },
  };
}

interface Times {
  readonly accessed: bigint;
  readonly modified: bigint;
  /** fstflags: 1 and 4 say that a time is set, 2 and 8 that it is set to now. */
  readonly which: number;
}

/** Sets the times that the flags name. */
export function setTimes(scratch: Tmp["scratch"], node: Node, { accessed, modified, which }: Times): number {
  if ((which & 3) === 3 || (which & 12) === 12) return errno.inval;
  scratch.setTimes(
    node,
    which & 1 ? BigInt.asUintN(64, accessed) : which & 2 ? "now" : undefined,
    which & 4 ? BigInt.asUintN(64, modified) : which & 8 ? "now" : undefined,
  );
  return errno.success;
}

function writeFdstat({ node, read, write, flags }: Descriptor, into: DataView): void {
  const rights = allRights & ~(read ? 0n : readRight) & ~(write ? 0n : writeRights);
  into.setUint16(0, fileTypes[node.is], true);
  into.setUint16(2, flags, true);
  into.setUint32(4, 0, true);
  into.setBigUint64(8, node.is === "directory" ? folderRights : rights, true);
  into.setBigUint64(16, node.is === "directory" ? allRights : 0n, true);
}

/** Writes what is known of a node as preview 1's `filestat`. */
export function writeFilestat(node: Node, into: DataView): void {
  into.setBigUint64(0, 1n, true);
  into.setBigUint64(8, BigInt(node.inode), true);
  into.setBigUint64(16, BigInt(fileTypes[node.is]), true);
  into.setBigUint64(24, BigInt(node.links), true);
  into.setBigUint64(32, BigInt(sizeOf(node)), true);
  into.setBigUint64(40, node.accessed, true);
  into.setBigUint64(48, node.modified, true);
  into.setBigUint64(56, node.changed, true);
}
