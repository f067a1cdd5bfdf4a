import type { InputSource, OutputSink } from "../stdio.ts";
import { readFile } from "./file.ts";
import type { FileNode } from "./node.ts";
import type { Scratch } from "./scratch.ts";

/** The bytes of a file from an offset to its end as it is when they are read. */
export function fileSource(scratch: Scratch, file: FileNode, from: bigint): InputSource & Disposable {
  scratch.hold(file);
  let at = from;
  return {
    read(atMost) {
      const bytes = readFile(file, at, atMost);
      at += BigInt(bytes.length);
      return bytes.length === 0 && at >= BigInt(file.size) ? undefined : bytes;
    },
    [Symbol.dispose]: () => scratch.release(file),
  };
}

/** Writes to a file from an offset on; without one always at its end. */
export function fileSink(
  scratch: Scratch,
  file: FileNode,
  from: bigint | undefined,
): OutputSink & Disposable {
  scratch.hold(file);
  let at = from;
  return {
    write(bytes) {
      scratch.write(file, at ?? BigInt(file.size), bytes);
      if (at !== undefined) at += BigInt(bytes.length);
    },
    [Symbol.dispose]: () => scratch.release(file),
  };
}
