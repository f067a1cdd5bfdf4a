import { bounds } from "./bounds.ts";
import type { Fault } from "./fault.ts";
import type { DirectoryNode, Node } from "./node.ts";

/** Where a path leads. */
export interface Place {
  readonly parent: DirectoryNode;
  /** Undefined when the path ends in `.` or `..`: its directory has no name here that could be changed. */
  readonly name: string | undefined;
  /** Undefined: there is nothing of that name yet. */
  readonly node: Node | undefined;
  /** The path ends in a slash: only a directory will do. */
  readonly slash: boolean;
}

/**
 * Walks a path from a directory. It never leads above that directory, by `..` or a link, whatever is moved meanwhile:
 * `..` goes back to where the walk came from. `follow`: through a symbolic link at its end too.
 */
export function walk(base: DirectoryNode, path: string, follow: boolean): Place | Fault {
  const fault = checkPath(path);
  if (fault !== undefined) return fault;
  const walked: DirectoryNode[] = [base];
  const rest = namesOf(path).toReversed();
  let slash = path.endsWith("/");
  let links = 0;
  let parent = base;
  for (let name = rest.pop(); name !== undefined; name = rest.pop()) {
    const last = rest.length === 0;
    if (name === "." || name === "..") {
      if (name === "..") walked.pop();
      const to = walked.at(-1);
      if (to === undefined) return "not-permitted";
      parent = to;
      if (last) break;
      continue;
    }
    if (Buffer.byteLength(name) > bounds.nameBytes) return "name-too-long";
    const node = parent.entries.get(name)?.node;
    if (node === undefined) return last ? { parent, name, node, slash } : "no-entry";
    if (node.is === "link" && (!last || follow || slash)) {
      if (++links > bounds.links) return "loop";
      rest.push(...namesOf(node.target).toReversed());
      if (last) slash ||= node.target.endsWith("/");
      continue;
    }
    if (node.is !== "directory" && (!last || slash)) return "not-directory";
    if (last) return { parent, name, node, slash };
    parent = node as DirectoryNode;
    walked.push(parent);
  }
  return { parent, name: undefined, node: parent, slash };
}

function namesOf(path: string): string[] {
  return path.split("/").filter((name) => name !== "");
}

/** What is wrong with a path whatever the tree holds; one that begins at a root leads out of it. */
export function checkPath(path: string): Fault | undefined {
  if (path === "") return "no-entry";
  if (path.includes("\0")) return "invalid";
  if (Buffer.byteLength(path) > bounds.pathBytes) return "name-too-long";
  return path.startsWith("/") ? "not-permitted" : undefined;
}
