import type { DirectoryNode, Node } from "../tmp/node.ts";
import { listFrom } from "../tmp/operations.ts";

/** What preview 1 calls the types of nodes. */
export const fileTypes = { directory: 3, file: 4, link: 7 } as const;
const headerBytes = 24;

/** Cookies of `.` and `..`; behind them come the places of names. */
const dots = 2n;

/** Writes what is in a directory behind a cookie as preview 1's `dirent`s, the last one cut where no more fits; how many bytes. */
export function listDirectory(directory: DirectoryNode, into: Uint8Array, cookie: bigint): number {
  let used = 0;
  /** False when it did not fit. */
  const put = (next: bigint, node: Node, name: string): boolean => {
    const bytes = Buffer.from(name);
    const entry = Buffer.alloc(headerBytes + bytes.length);
    entry.writeBigUInt64LE(next, 0);
    entry.writeBigUInt64LE(BigInt(node.inode), 8);
    entry.writeUInt32LE(bytes.length, 16);
    entry.writeUInt8(fileTypes[node.is], 20);
    entry.set(bytes, headerBytes);
    const part = entry.subarray(0, into.length - used);
    into.set(part, used);
    used += part.length;
    return part.length === entry.length;
  };
  if (cookie < 1n && !put(1n, directory, ".")) return used;
  if (cookie < dots && !put(dots, directory.parent, "..")) return used;
  const place = cookie < dots ? 0 : Number(cookie - dots);
  for (const { name, node, next } of listFrom(directory, place)) {
    if (!put(BigInt(next) + dots, node, name)) break;
  }
  return used;
}
