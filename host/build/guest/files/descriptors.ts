import type { Descriptor } from "millrace:guest/host";
import { asking, fsError } from "./errors.ts";
import { placeOf } from "./place.ts";

/** How a file is opened, by Node's flags. */
interface How {
  readonly read: boolean;
  readonly write: boolean;
  readonly append: boolean;
  readonly open: object;
}

const flagged = (text: string): How => ({
  read: text.includes("r") || text.includes("+"),
  write: text !== "r",
  append: text.startsWith("a"),
  open: {
    create: !text.startsWith("r"),
    directory: false,
    exclusive: text.includes("x"),
    truncate: text.startsWith("w"),
  },
});

const known = new Set(["r", "r+", "w", "w+", "a", "a+", "wx", "wx+", "ax", "ax+"]);

/** An open file: where the next byte is read or written. */
export interface OpenFile {
  readonly descriptor: Descriptor;
  readonly append: boolean;
  readonly shown: string;
  position: number;
}

const open = new Map<number, OpenFile>();

/** Opens a file; a folder too, to read of it what is known. */
export function openFile(path: unknown, flags: unknown = "r"): OpenFile {
  const text = String(flags).replace(/s/g, "").replace("xr", "rx");
  if (!known.has(text)) {
    const message = `The argument 'flags' is invalid. Received ${String(flags)}`;
    throw Object.assign(new TypeError(message), { code: "ERR_INVALID_ARG_VALUE" });
  }
  const { read, write, append, open } = flagged(text);
  const { root, path: from, shown } = placeOf(path, "open");
  const access = { read, write };
  const descriptor = asking("open", shown, () => root.openAt({ symlinkFollow: true }, from, open, access));
  return { descriptor, append, shown, position: 0 };
}

/** Gives an open file a number: the lowest one from 3 on. */
export function number(file: OpenFile): number {
  let fd = 3;
  while (open.has(fd)) fd++;
  open.set(fd, file);
  return fd;
}

/** The open file with that number. */
export function fileOf(fd: unknown, syscall: string): OpenFile {
  const file = typeof fd === "number" ? open.get(fd) : undefined;
  if (file === undefined) throw fsError("bad-descriptor", syscall);
  return file;
}

export function closeFile(fd: number): void {
  const { descriptor } = fileOf(fd, "close");
  open.delete(fd);
  descriptor[Symbol.dispose]();
}

/** What one call reads or writes at most. */
const atOnce = 1_048_576;

/** All from a position to the file's end. */
export function readAll({ descriptor, shown, position }: OpenFile): Uint8Array<ArrayBuffer> {
  const chunks: Uint8Array[] = [];
  let at = position;
  for (;;) {
    const [chunk] = asking("read", shown, () => descriptor.read(atOnce, at));
    if (chunk.length === 0) break;
    chunks.push(chunk);
    at += chunk.length;
  }
  const bytes = new Uint8Array(at - position);
  let to = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, to);
    to += chunk.length;
  }
  return bytes;
}

/** Writes all of it at a place; without one at the position, which moves on. */
export function writeAll(file: OpenFile, bytes: Uint8Array, place?: number | null): void {
  const { descriptor, append, shown } = file;
  const given = typeof place === "number";
  let at = append ? descriptor.stat().size : given ? place : file.position;
  for (let from = 0; from < bytes.length; from += atOnce) {
    const part = bytes.subarray(from, from + atOnce);
    at += asking("write", shown, () => descriptor.write(part, at));
  }
  if (!given) file.position = at;
}
