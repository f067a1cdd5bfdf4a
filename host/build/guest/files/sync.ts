import type { Case } from "millrace:guest/host";
import { decode, encode, FileBytes } from "./bytes.ts";
import { closeFile, fileOf, number, type OpenFile, openFile, readAll, writeAll } from "./descriptors.ts";
import { asking, fsError } from "./errors.ts";
import { type Place, placeOf } from "./place.ts";
import { Dirent, Stats } from "./stats.ts";

type Encoding = string | null | undefined;
type Options = Encoding | Readonly<Record<string, unknown>>;

const follow = { symlinkFollow: true };
const noFollow = { symlinkFollow: false };

function optionsOf(options: Options): Readonly<Record<string, unknown>> {
  return typeof options === "string" ? { encoding: options } : (options ?? {});
}

function encodingOf(options: Options): string | undefined {
  const { encoding } = optionsOf(options);
  return typeof encoding === "string" && encoding !== "buffer" ? encoding : undefined;
}

function withFile<T>(path: unknown, flags: unknown, use: (file: OpenFile) => T): T {
  if (typeof path === "number") return use(fileOf(path, "read"));
  const file = openFile(path, flags);
  try {
    return use(file);
  } finally {
    file.descriptor[Symbol.dispose]();
  }
}

export function readFileSync(path: unknown, options?: Options): string | FileBytes {
  const bytes = withFile(path, optionsOf(options)["flag"] ?? "r", (file) => {
    if (file.descriptor.stat().type === "directory") throw fsError("is-directory", "read");
    const all = readAll(file);
    if (typeof path === "number") file.position += all.length;
    return all;
  });
  const encoding = encodingOf(options);
  return encoding === undefined ? new FileBytes(bytes.buffer) : decode(bytes, encoding);
}

export function writeFileSync(path: unknown, data: unknown, options?: Options): void {
  const bytes = encode(data, encodingOf(options));
  withFile(path, optionsOf(options)["flag"] ?? "w", (file) => writeAll(file, bytes));
}

export function appendFileSync(path: unknown, data: unknown, options?: Options): void {
  writeFileSync(path, data, { ...optionsOf(options), flag: "a" });
}

export function openSync(path: unknown, flags?: unknown): number {
  return number(openFile(path, flags));
}

export function closeSync(fd: number): void {
  closeFile(fd);
}

export function readSync(fd: number, buffer: Uint8Array, ...rest: unknown[]): number {
  const [first] = rest;
  const named = typeof first === "object" && first !== null ? (first as Record<string, unknown>) : undefined;
  const [offset, length, position] = named
    ? [named["offset"], named["length"], named["position"]]
    : (rest as readonly unknown[]);
  const from = Number(offset ?? 0);
  const most = Number(length ?? buffer.byteLength - from);
  const file = fileOf(fd, "read");
  const at = typeof position === "number" && position >= 0 ? position : file.position;
  const [bytes] = asking("read", undefined, () => file.descriptor.read(most, at));
  new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength).set(bytes, from);
  if (at === file.position && typeof position !== "number") file.position += bytes.length;
  return bytes.length;
}

export function writeSync(fd: number, data: unknown, ...rest: unknown[]): number {
  const file = fileOf(fd, "write");
  if (typeof data === "string") {
    const [position, encoding] = rest;
    const bytes = encode(data, typeof encoding === "string" ? encoding : undefined);
    writeAll(file, bytes, position as number | null | undefined);
    return bytes.length;
  }
  const [offset = 0, length, position] = rest as readonly (number | undefined)[];
  const all = encode(data);
  const bytes = all.subarray(offset, length === undefined ? undefined : offset + length);
  writeAll(file, bytes, position);
  return bytes.length;
}

export function ftruncateSync(fd: number, length = 0): void {
  const { descriptor, shown } = fileOf(fd, "ftruncate");
  asking("ftruncate", shown, () => descriptor.setSize(length));
}

export function truncateSync(path: unknown, length = 0): void {
  withFile(path, "r+", ({ descriptor, shown }) => asking("open", shown, () => descriptor.setSize(length)));
}

export function fsyncSync(fd: number): void {
  fileOf(fd, "fsync");
}

export function fstatSync(fd: number): Stats {
  return new Stats(fileOf(fd, "fstat").descriptor.stat());
}

function stat(path: unknown, syscall: "stat" | "lstat", options: Options): Stats | undefined {
  try {
    const { root, path: from, shown } = placeOf(path, syscall);
    return new Stats(asking(syscall, shown, () => root.statAt(syscall === "stat" ? follow : noFollow, from)));
  } catch (error) {
    const missing = (error as { code?: string }).code === "ENOENT";
    if (missing && optionsOf(options)["throwIfNoEntry"] === false) return undefined;
    throw error;
  }
}

export function statSync(path: unknown, options?: Options): Stats | undefined {
  return stat(path, "stat", options);
}

export function lstatSync(path: unknown, options?: Options): Stats | undefined {
  return stat(path, "lstat", options);
}

export function existsSync(path: unknown): boolean {
  try {
    stat(path, "stat", undefined);
    return true;
  } catch {
    return false;
  }
}

export function accessSync(path: unknown): void {
  const { root, path: from, shown } = placeOf(path, "access");
  asking("access", shown, () => root.statAt(follow, from));
}

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
    stats = stat(path, "lstat", undefined);
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

export function copyFileSync(from: unknown, to: unknown, mode = 0): void {
  const bytes = readFileSync(from);
  writeFileSync(to, bytes, { flag: (mode & 1) === 1 ? "wx" : "w" });
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

export function utimesSync(path: unknown, accessed: unknown, modified: unknown): void {
  const { root, path: from, shown } = placeOf(path, "utime");
  asking("utime", shown, () => root.setTimesAt(follow, from, timestamp(accessed), timestamp(modified)));
}

/** Seconds, or a Date. */
function timestamp(time: unknown): Case {
  const ms = time instanceof Date ? time.getTime() : Number(time) * 1000;
  const seconds = Math.floor(ms / 1000);
  return { tag: "timestamp", val: { seconds, nanoseconds: Math.round((ms - seconds * 1000) * 1e6) } };
}
