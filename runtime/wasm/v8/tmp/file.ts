import type { Account } from "./bounds.ts";
import type { FileNode } from "./node.ts";

/** The bytes from an offset on: at most so many, fewer at the end. A view, good until the file changes. */
export function readFile({ content, size }: FileNode, offset: bigint, atMost: number): Uint8Array {
  if (offset >= BigInt(size)) return content.subarray(0, 0);
  const from = Number(offset);
  return content.subarray(from, Math.min(size, from + atMost));
}

/** Writes bytes; between the end of the file and an offset behind it there will be zeros. */
export function writeFile(file: FileNode, offset: bigint, bytes: Uint8Array, account: Account): void {
  if (bytes.length === 0) return;
  const end = offset + BigInt(bytes.length);
  if (end > BigInt(file.size)) resizeFile(file, end, account);
  file.content.set(bytes, Number(offset));
}

/** Makes a file longer, by zeros, or shorter. What it shall be is counted before memory is taken for it. */
export function resizeFile(file: FileNode, to: bigint, account: Account): void {
  account.bytes(to - BigInt(file.size));
  const size = Number(to);
  const { content } = file;
  // No more than half of what is held may be unused, or a file that shrank would hold what is not counted.
  if (size > content.length || size < content.length / 2) {
    const capacity = size > content.length ? Math.max(size, 2 * file.size) : size;
    file.content = new Uint8Array(capacity);
    file.content.set(content.subarray(0, Math.min(file.size, size)));
  } else if (size < file.size) content.fill(0, size, file.size);
  file.size = size;
}
