import { checkPath, walk } from "./path.ts";
import type { Place } from "./path.ts";
import { isFault } from "./fault.ts";
import type { Fault } from "./fault.ts";
import type { DirectoryNode, Node } from "./node.ts";
import type { Scratch } from "./scratch.ts";

/** How a path is opened. */
export interface Opening {
  /** Through a symbolic link at the path's end. */
  readonly follow: boolean;
  readonly create: boolean;
  readonly directory: boolean;
  readonly exclusive: boolean;
  readonly truncate: boolean;
  /** Whether it is to be written to. */
  readonly write: boolean;
}

/** The node that a path leads to, made or emptied where that was asked for. */
export function open(scratch: Scratch, base: DirectoryNode, path: string, how: Opening): Node | Fault {
  if (how.create && how.directory) return "invalid";
  const exclusive = how.create && how.exclusive;
  const place = walk(base, path, how.follow && !exclusive);
  if (isFault(place)) return place;
  const { node } = place;
  if (node === undefined) return how.create ? createFile(scratch, place) : "no-entry";
  if (exclusive) return "exist";
  if (node.is === "link") return how.directory ? "not-directory" : "loop";
  if (node.is === "directory") return how.write || how.truncate || how.create ? "is-directory" : node;
  if (how.directory) return "not-directory";
  if (how.truncate) scratch.resize(node, 0n);
  return node;
}

function createFile(scratch: Scratch, { parent, name, slash }: Place): Node | Fault {
  if (slash) return "is-directory";
  if (name === undefined || isGone(parent)) return "no-entry";
  return scratch.create(parent, name, "file");
}

/** The node that a path leads to, as it is. */
export function find(base: DirectoryNode, path: string, follow: boolean): Node | Fault {
  const place = walk(base, path, follow);
  return isFault(place) ? place : (place.node ?? "no-entry");
}

/** What a symbolic link names. */
export function readLink(base: DirectoryNode, path: string): { readonly target: string } | Fault {
  const node = find(base, path, false);
  if (isFault(node)) return node;
  return node.is === "link" ? node : "invalid";
}

export function makeDirectory(scratch: Scratch, base: DirectoryNode, path: string): Fault | undefined {
  const place = placeOfNew(base, path);
  if (isFault(place)) return place;
  scratch.create(place.parent, place.name, "directory");
  return undefined;
}

/** Makes a symbolic link. It is kept as it is written, but none that begins at a root; where it leads is seen when it is followed. */
export function makeLink(
  scratch: Scratch,
  target: string,
  base: DirectoryNode,
  path: string,
): Fault | undefined {
  const fault = checkPath(target);
  if (fault !== undefined) return fault;
  const place = placeOfNew(base, path);
  if (isFault(place)) return place;
  if (place.slash) return "no-entry";
  scratch.createLink(place.parent, place.name, target);
  return undefined;
}

/** Gives a file or a link one more name. */
export function addName(
  scratch: Scratch,
  from: { readonly base: DirectoryNode; readonly path: string; readonly follow: boolean },
  to: { readonly base: DirectoryNode; readonly path: string },
): Fault | undefined {
  const node = find(from.base, from.path, from.follow);
  if (isFault(node)) return node;
  if (node.is === "directory") return "not-permitted";
  const place = placeOfNew(to.base, to.path);
  if (isFault(place)) return place;
  if (place.slash) return "no-entry";
  scratch.addName(place.parent, place.name, node);
  return undefined;
}

/** Where a name is to be made that must not be there yet. */
function placeOfNew(base: DirectoryNode, path: string): (Place & { readonly name: string }) | Fault {
  const place = walk(base, path, false);
  if (isFault(place)) return place;
  const { parent, name, node } = place;
  if (node !== undefined || name === undefined) return "exist";
  return isGone(parent) ? "no-entry" : { ...place, name };
}

export function removeFile(scratch: Scratch, base: DirectoryNode, path: string): Fault | undefined {
  const place = walk(base, path, false);
  if (isFault(place)) return place;
  const { parent, name, node } = place;
  if (node === undefined) return "no-entry";
  if (node.is === "directory" || name === undefined) return "is-directory";
  scratch.removeName(parent, name);
  return undefined;
}

export function removeDirectory(scratch: Scratch, base: DirectoryNode, path: string): Fault | undefined {
  const place = walk(base, path, false);
  if (isFault(place)) return place;
  const { parent, name, node } = place;
  if (node === undefined) return "no-entry";
  if (node.is !== "directory") return "not-directory";
  if (name === undefined) return "invalid";
  if (node.entries.size > 0) return "not-empty";
  scratch.removeName(parent, name);
  return undefined;
}

/** Moves what a path names to another one, over a file or an empty directory of its own kind. */
export function rename(
  scratch: Scratch,
  from: { readonly base: DirectoryNode; readonly path: string },
  to: { readonly base: DirectoryNode; readonly path: string },
): Fault | undefined {
  const old = walk(from.base, from.path, false);
  if (isFault(old)) return old;
  const place = walk(to.base, to.path, false);
  if (isFault(place)) return place;
  const { node } = old;
  if (node === undefined) return "no-entry";
  if (old.name === undefined || place.name === undefined) return "busy";
  if (place.node === node) return undefined;
  const fault = replacing(node, place);
  if (fault !== undefined) return fault;
  scratch.moveName(old.parent, old.name, place.parent, place.name);
  return undefined;
}

function replacing(node: Node, { parent, node: other, slash }: Place): Fault | undefined {
  if (node.is === "directory") {
    if (isWithin(parent, node)) return "invalid";
    if (other !== undefined && other.is !== "directory") return "not-directory";
    if (other !== undefined && other.entries.size > 0) return "not-empty";
  } else {
    if (other?.is === "directory") return "is-directory";
    if (slash) return "not-directory";
  }
  return isGone(parent) ? "no-entry" : undefined;
}

/** Whether a directory is another one, or lies somewhere in it. */
function isWithin(directory: DirectoryNode, other: DirectoryNode): boolean {
  for (let at = directory; ; at = at.parent) {
    if (at === other) return true;
    if (at.parent === at) return false;
  }
}

/** A directory that was removed while it was open takes no names. */
function isGone(directory: DirectoryNode): boolean {
  return directory.links === 0;
}

/** A name in a directory as it is read out. */
export interface Listed {
  readonly name: string;
  readonly node: Node;
  /** Where reading goes on behind it. */
  readonly next: number;
}

/** The first name behind a place; names that come or go meanwhile don't move the others. */
export function* listFrom({ entries }: DirectoryNode, place: number): Generator<Listed> {
  for (const [name, { node, place: next }] of entries) if (next > place) yield { name, node, next };
}
