import { bounds } from "./bounds.ts";
import type { Fault } from "./fault.ts";
import type { DirectoryNode, FileNode, Node } from "./node.ts";
import type { Scratch } from "./scratch.ts";

/** An open file, directory or link; it holds its node until it is disposed of. */
export interface Descriptor extends Disposable {
  readonly node: Node;
  readonly read: boolean;
  readonly write: boolean;
  /** Flags that a program set and that change nothing here but what it is told. */
  flags: number;
  /** Of preview 1: where the next byte is read or written, and whether all is written at the end. */
  position: bigint;
  append: boolean;
}

/** What a descriptor is opened for. */
type Access = Pick<Descriptor, "read" | "write"> & Partial<Pick<Descriptor, "flags" | "append">>;

/** The descriptors of one attempt. */
export interface Descriptors {
  /** Whether as many are open as may be. */
  isFull(): boolean;
  open(node: Node, access: Access): Descriptor;
}

export function createDescriptors(scratch: Scratch): Descriptors {
  let open = 0;
  return {
    isFull: () => open >= bounds.descriptors,
    open(node, { read, write, flags = 0, append = false }) {
      open++;
      scratch.hold(node);
      return {
        node,
        read,
        write,
        flags,
        position: 0n,
        append,
        [Symbol.dispose]() {
          open--;
          scratch.release(node);
        },
      };
    },
  };
}

/** The directory that a path begins at. */
export function directoryOf({ node }: Descriptor): DirectoryNode | Fault {
  return node.is === "directory" ? node : "not-directory";
}

/** The file of a descriptor that may be read. */
export function readable({ node, read }: Descriptor): FileNode | Fault {
  if (node.is === "directory") return "is-directory";
  return node.is === "file" && read ? node : "bad-descriptor";
}

/** The file of a descriptor that may be written to. */
export function writable({ node, write }: Descriptor): FileNode | Fault {
  return node.is === "file" && write ? node : "bad-descriptor";
}
