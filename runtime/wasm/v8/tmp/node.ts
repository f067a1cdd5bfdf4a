/** What every node of the tree has. Times are in nanoseconds since 1970. */
interface NodeState {
  /** Its number: 1 for the root, then in the order in which nodes are made. */
  readonly inode: number;
  /** Names that lead to it. */
  links: number;
  /** Descriptors and streams that hold it. */
  holders: number;
  accessed: bigint;
  modified: bigint;
  changed: bigint;
}

/** A file: the first `size` bytes of `content`, behind which it has zeros. */
export interface FileNode extends NodeState {
  readonly is: "file";
  content: Uint8Array;
  size: number;
}

/** A directory. Its names stand in the order in which they came into it. */
export interface DirectoryNode extends NodeState {
  readonly is: "directory";
  readonly entries: Map<string, DirectoryEntry>;
  /** The root's is the root; that of one that was removed is itself. */
  parent: DirectoryNode;
  lastPlace: number;
}

/** A symbolic link. */
export interface LinkNode extends NodeState {
  readonly is: "link";
  readonly target: string;
}

/** Anything that has a name in the tree. */
export type Node = FileNode | DirectoryNode | LinkNode;

/** A name's node, and its place in the directory, which later names don't take: reading goes on behind it. */
interface DirectoryEntry {
  readonly node: Node;
  readonly place: number;
}

/** A node's size as a program sees it. */
export function sizeOf(node: Node): number {
  if (node.is === "file") return node.size;
  return node.is === "link" ? Buffer.byteLength(node.target) : 0;
}

/** Gives a node a name. */
export function enter(parent: DirectoryNode, name: string, node: Node): void {
  parent.entries.set(name, { node, place: ++parent.lastPlace });
  node.links++;
  if (node.is === "directory") node.parent = parent;
}
