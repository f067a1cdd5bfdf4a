import { readable, writable } from "../tmp/descriptor.ts";
import type { Descriptor } from "../tmp/descriptor.ts";
import { isFault } from "../tmp/fault.ts";
import { readFile } from "../tmp/file.ts";
import type { FileNode } from "../tmp/node.ts";
import type { Tmp } from "../tmp/tmp.ts";
import { errno, errnoOf } from "./errno.ts";
import { eachVector, putU32, putU64 } from "./preview1-memory.ts";
import type { Memory } from "./preview1-memory.ts";

const mostPosition = 2n ** 63n - 1n;

/** A function of an open file or folder. */
export type FileFunction = (self: Descriptor, ...args: never[]) => number;

/** What preview 1 does with the content of an open file: from its position on, or from any place. */
export function contentFunctions(tmp: Tmp, memory: Memory): Readonly<Record<string, FileFunction>> {
  return { ...reading(memory), ...writing(tmp, memory), ...positions(memory) };
}

/** A function of a file that may be used so. */
function withFile(access: typeof readable, call: (file: FileNode, ...args: never[]) => number): FileFunction {
  return (self, ...args) => {
    const file = access(self);
    return isFault(file) ? errnoOf(file) : call(file, ...args);
  };
}

function reading(memory: Memory): Record<string, FileFunction> {
  return {
    fd_read: (self, vectors: number, count: number, readPointer: number) => {
      const file = readable(self);
      if (isFault(file)) return errnoOf(file);
      const read = scatter(memory, vectors, count, (at, length) =>
        readFile(file, self.position + at, length),
      );
      self.position += read;
      putU32(memory, readPointer, Number(read));
      return errno.success;
    },
    fd_pread: withFile(
      readable,
      (file, vectors: number, count: number, offset: bigint, readPointer: number) => {
        const from = BigInt.asUintN(64, offset);
        const read = scatter(memory, vectors, count, (at, length) => readFile(file, from + at, length));
        putU32(memory, readPointer, Number(read));
        return errno.success;
      },
    ),
  };
}

function writing({ scratch }: Tmp, memory: Memory): Record<string, FileFunction> {
  return {
    fd_write: (self, vectors: number, count: number, writtenPointer: number) => {
      const file = writable(self);
      if (isFault(file)) return errnoOf(file);
      if (self.append) self.position = BigInt(file.size);
      const written = gather(memory, vectors, count, (at, bytes) =>
        scratch.write(file, self.position + at, bytes),
      );
      self.position += written;
      putU32(memory, writtenPointer, Number(written));
      return errno.success;
    },
    fd_pwrite: withFile(
      writable,
      (file, vectors: number, count: number, offset: bigint, writtenPointer: number) => {
        const from = BigInt.asUintN(64, offset);
        const written = gather(memory, vectors, count, (at, bytes) => scratch.write(file, from + at, bytes));
        putU32(memory, writtenPointer, Number(written));
        return errno.success;
      },
    ),
    fd_allocate: withFile(writable, (file, offset: bigint, length: bigint) => {
      if (length === 0n) return errno.inval;
      const end = BigInt.asUintN(64, offset) + BigInt.asUintN(64, length);
      if (end > BigInt(file.size)) scratch.resize(file, end);
      return errno.success;
    }),
    fd_filestat_set_size: withFile(writable, (file, size: bigint) => {
      scratch.resize(file, BigInt.asUintN(64, size));
      return errno.success;
    }),
  };
}

function positions(memory: Memory): Record<string, FileFunction> {
  return {
    fd_seek: (self, offset: bigint, whence: number, positionPointer: number) => {
      const { node } = self;
      if (node.is !== "file") return errno.badf;
      const base = [0n, self.position, BigInt(node.size)][whence >>> 0];
      if (base === undefined || base + offset < 0n || base + offset > mostPosition) return errno.inval;
      self.position = base + offset;
      putU64(memory, positionPointer, self.position);
      return errno.success;
    },
    fd_tell: ({ node, position }, positionPointer: number) => {
      if (node.is !== "file") return errno.badf;
      putU64(memory, positionPointer, position);
      return errno.success;
    },
    fd_advise: ({ node }, _offset: bigint, _length: bigint, advice: number) =>
      node.is !== "file" ? errno.badf : advice >>> 0 > 5 ? errno.inval : errno.success,
  };
}

/** Fills the vectors with what `read` gives for a place behind the first byte, until it gives less than it was asked for. */
function scatter(
  memory: Memory,
  vectors: number,
  count: number,
  read: (at: bigint, length: number) => Uint8Array,
): bigint {
  let total = 0n;
  eachVector(memory, vectors, count, (into) => {
    const bytes = read(total, into.length);
    into.set(bytes);
    total += BigInt(bytes.length);
    return bytes.length === into.length;
  });
  return total;
}

function gather(
  memory: Memory,
  vectors: number,
  count: number,
  write: (at: bigint, bytes: Uint8Array) => void,
): bigint {
  let total = 0n;
  eachVector(memory, vectors, count, (bytes) => {
    write(total, bytes);
    total += BigInt(bytes.length);
    return true;
  });
  return total;
}
