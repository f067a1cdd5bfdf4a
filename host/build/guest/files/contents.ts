import { decode, encode, FileBytes } from "./bytes.ts";
import { closeFile, fileOf, number, type OpenFile, openFile, readAll, writeAll } from "./descriptors.ts";
import { asking, fsError } from "./errors.ts";
import { encodingOf, type Options, optionsOf } from "./options.ts";

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

export function copyFileSync(from: unknown, to: unknown, mode = 0): void {
  const bytes = readFileSync(from);
  writeFileSync(to, bytes, { flag: (mode & 1) === 1 ? "wx" : "w" });
}
