import { createAccount } from "./bounds.ts";
import type { Account } from "./bounds.ts";
import type { Breach } from "../stdio.ts";
import { resizeFile, writeFile } from "./file.ts";
import { enter, sizeOf } from "./node.ts";
import type { DirectoryNode, FileNode, LinkNode, Node } from "./node.ts";

/** A time to set; undefined: leave it as it is. */
export type NewTime = bigint | "now" | undefined;

/**
 * The files of one attempt: a tree in the host's own memory, in which paths mean nothing outside. What it holds is
 * counted. Each change looks at the clock once, when it is sure to be done; reading does not.
 */
export interface Scratch {
  readonly root: DirectoryNode;
  /** A descriptor or a stream begins to hold a node; nodes live on without a name until none does. */
  hold(node: Node): void;
  release(node: Node): void;
  /** Makes a node of that name. */
  create(parent: DirectoryNode, name: string, kind: "file" | "directory"): Node;
  createLink(parent: DirectoryNode, name: string, target: string): void;
  /** Gives a node one more name. */
  addName(parent: DirectoryNode, name: string, node: Node): void;
  removeName(parent: DirectoryNode, name: string): void;
  /** Moves a name, in the place of another one if there is such. */
  moveName(from: DirectoryNode, name: string, to: DirectoryNode, newName: string): void;
  write(file: FileNode, offset: bigint, bytes: Uint8Array): void;
  resize(file: FileNode, size: bigint): void;
  setTimes(node: Node, accessed: NewTime, modified: NewTime): void;
}

/** An empty tree. `end` ends the attempt that goes over the limit. */
export function createScratch(
  limitBytes: number,
  now: () => bigint,
  end: (breach: Breach) => never,
): Scratch {
  const account = createAccount(limitBytes, end);
  let inodes = 0;
  const state = (time: bigint) => ({
    inode: ++inodes,
    links: 0,
    holders: 0,
    accessed: time,
    modified: time,
    changed: time,
  });
  const root = directory(state(now()));
  root.links = 1;
  /** Counts a name, and what comes with it, before anything is done. */
  const count = (name: string, target = ""): void => {
    account.names(1);
    account.bytes(BigInt(Buffer.byteLength(name) + Buffer.byteLength(target)));
  };
  return {
    root,
    hold: (node) => void node.holders++,
    release(node) {
      node.holders--;
      forget(node, account);
    },
    create(parent, name, kind) {
      count(name);
      const time = now();
      const node = kind === "file" ? file(state(time)) : directory(state(time));
      named(parent, name, node, time);
      return node;
    },
    createLink(parent, name, target) {
      count(name, target);
      const time = now();
      named(parent, name, { is: "link", ...state(time), target } satisfies LinkNode, time);
    },
    addName(parent, name, node) {
      count(name);
      const time = now();
      named(parent, name, node, time);
      node.changed = time;
    },
    removeName(parent, name) {
      leave(parent, name, now(), account);
    },
    moveName(from, name, to, newName) {
      const node = from.entries.get(name)?.node;
      if (node === undefined) return;
      account.bytes(BigInt(Buffer.byteLength(newName) - Buffer.byteLength(name)));
      const time = now();
      if (to.entries.has(newName)) leave(to, newName, time, account);
      from.entries.delete(name);
      node.links--;
      named(to, newName, node, time);
      touch(from, time);
      node.changed = time;
    },
    write(file, offset, bytes) {
      if (bytes.length === 0) return;
      writeFile(file, offset, bytes, account);
      touch(file, now());
    },
    resize(file, size) {
      resizeFile(file, size, account);
      touch(file, now());
    },
    setTimes(node, accessed, modified) {
      const time = now();
      if (accessed !== undefined) node.accessed = accessed === "now" ? time : accessed;
      if (modified !== undefined) node.modified = modified === "now" ? time : modified;
      node.changed = time;
    },
  };
}

function named(parent: DirectoryNode, name: string, node: Node, time: bigint): void {
  enter(parent, name, node);
  touch(parent, time);
}

type State = Omit<LinkNode, "is" | "target">;

function file(state: State): FileNode {
  return { is: "file", ...state, content: new Uint8Array(), size: 0 };
}

function directory(state: State): DirectoryNode {
  const made = { is: "directory", ...state, entries: new Map(), lastPlace: 0 } as const;
  // oxlint-disable-next-line unicorn/no-immediate-mutation -- a root is its own parent
  return Object.assign(made, { parent: made as unknown as DirectoryNode });
}

function touch(node: Node, time: bigint): void {
  node.modified = time;
  node.changed = time;
}

function leave(parent: DirectoryNode, name: string, time: bigint, account: Account): void {
  const node = parent.entries.get(name)?.node;
  if (node === undefined) return;
  parent.entries.delete(name);
  account.bytes(-BigInt(Buffer.byteLength(name)));
  touch(parent, time);
  node.links--;
  node.changed = time;
  // Or those that it lay in would live on, uncounted, as long as it is held.
  if (node.is === "directory") node.parent = node;
  if (node.links > 0) account.names(-1);
  else forget(node, account);
}

/** Gives back what a node took that has no name and no holder any more. */
function forget(node: Node, account: Account): void {
  if (node.links > 0 || node.holders > 0) return;
  account.names(-1);
  account.bytes(-BigInt(sizeOf(node)));
}
