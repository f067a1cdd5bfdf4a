import { asking } from "./errors.ts";
import { existsSync, lstatSync } from "./known.ts";
import { type Options, optionsOf } from "./options.ts";
import { type Place, placeOf } from "./place.ts";
import { Dirent, type Stats } from "./stats.ts";

const follow = { symlinkFollow: true };
const noFollow = { symlinkFollow: false };

export function mkdirSync(path: unknown, options?: Options | number): string | undefined {
  const place = placeOf(path, "mkdir");
  const { root, shown } = place;
  const { recursive } = typeof options === "number" ? {} : optionsOf(options);
  if (recursive !== true) {
    asking("mkdir", shown, () => root.createDirectoryAt(place.path));
    return undefined;
  }
  let first: string | undefined;
  const names = place.path.split("/").filter((name) => name !== "" && name !== ".");
  for (const [index] of names.entries()) {
    const at = names.slice(0, index + 1).join("/");
    if (isFolder(place, at)) continue;
    asking("mkdir", shown, () => root.createDirectoryAt(at));
    first ??= `/tmp/${at}`;
  }
  return first;
}

function isFolder({ root }: Place, path: string): boolean {
  try {
    return root.statAt(follow, path).type === "directory";
  } catch {
    return false;
  }
}

export function mkdtempSync(prefix: string): string {
  for (;;) {
    const random = Array.from({ length: 6 }, () => Math.floor(Math.random() * 36).toString(36)).join("");
    const path = prefix + random;
    if (existsSync(path)) continue;
    mkdirSync(path);
    return path;
  }
}

export function readdirSync(path: unknown, options?: Options): string[] | Dirent[] {
  const { withFileTypes, recursive } = optionsOf(options);
  const found = entriesOf(path, recursive === true, "");
  return withFileTypes === true ? found.map(({ entry }) => entry) : found.map(({ path }) => path);
}

function entriesOf(
  path: unknown,
  recursive: boolean,
  prefix: string,
): readonly { readonly path: string; readonly entry: Dirent }[] {
  const { root, path: from, shown } = placeOf(path, "scandir");
  const access = { read: true };
  using folder = asking("scandir", shown, () => root.openAt(follow, from, { directory: true }, access));
  using listing = asking("scandir", shown, () => folder.readDirectory());
  const entries: Dirent[] = [];
  for (;;) {
    const entry = listing.readDirectoryEntry();
    if (entry === null) break;
    entries.push(new Dirent(entry.name, shown, entry.type));
  }
  // As Node lists them.
  entries.sort((one, other) => (one.name < other.name ? -1 : 1));
  return entries.flatMap((entry) => {
    const own = { path: prefix + entry.name, entry };
    if (!recursive || !entry.isDirectory()) return [own];
    return [own, ...entriesOf(`${shown.replace(/\/$/, "")}/${entry.name}`, true, `${own.path}/`)];
  });
}

export function rmdirSync(path: unknown): void {
  const { root, path: from, shown } = placeOf(path, "rmdir");
  asking("rmdir", shown, () => root.removeDirectoryAt(from));
}

export function unlinkSync(path: unknown): void {
  const { root, path: from, shown } = placeOf(path, "unlink");
  asking("unlink", shown, () => root.unlinkFileAt(from));
}

export function rmSync(path: unknown, options?: Options): void {
  const { recursive, force } = optionsOf(options);
  let stats: Stats | undefined;
  try {
    stats = lstatSync(path);
  } catch (error) {
    if (force === true && (error as { code?: string }).code === "ENOENT") return;
    throw error;
  }
  if (stats?.isDirectory() !== true) return unlinkSync(path);
  const { shown } = placeOf(path, "rm");
  if (recursive !== true) {
    const message = `Path is a directory: rm returned EISDIR (is a directory) ${shown}`;
    throw Object.assign(new Error(message), { code: "ERR_FS_EISDIR", errno: 21, syscall: "rm", path: shown });
  }
  for (const { path: name } of entriesOf(shown, false, "")) {
    rmSync(`${shown.replace(/\/$/, "")}/${name}`, { recursive: true, force: true });
  }
  rmdirSync(path);
}

function twoPlaces(
  syscall: string,
  from: unknown,
  to: unknown,
  call: (one: Place, other: Place) => void,
): void {
  const one = placeOf(from, syscall);
  const other = placeOf(to, syscall);
  asking(syscall, one.shown, () => call(one, other), other.shown);
}

export function renameSync(from: unknown, to: unknown): void {
  twoPlaces("rename", from, to, (one, other) => one.root.renameAt(one.path, other.root, other.path));
}

export function linkSync(from: unknown, to: unknown): void {
  twoPlaces("link", from, to, (one, other) => one.root.linkAt(noFollow, one.path, other.root, other.path));
}

/** A target within /tmp is kept relative to the link, for nothing that begins with `/` is followed. */
export function symlinkSync(target: unknown, path: unknown): void {
  const { root, path: from, shown } = placeOf(path, "symlink");
  const text = String(target);
  const up = "../".repeat(from.split("/").length - 1);
  const kept = text.startsWith("/tmp/") ? `${up}${text.slice("/tmp/".length)}` : text;
  asking("symlink", text, () => root.symlinkAt(kept, from), shown);
}

export function readlinkSync(path: unknown): string {
  const { root, path: from, shown } = placeOf(path, "readlink");
  return asking("readlink", shown, () => root.readlinkAt(from));
}
