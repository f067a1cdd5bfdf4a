import type { Descriptor } from "../tmp/descriptor.ts";
import type { Tmp } from "../tmp/tmp.ts";
import { errno } from "./errno.ts";
import { fileFunctions } from "./preview1-files.ts";
import { pathFunctions } from "./preview1-paths.ts";
import type { Memory, Preview1Function, Stdio } from "./preview1-memory.ts";

/**
 * The functions of preview 1 that take a descriptor, for an attempt that has `/tmp`: 3 is that folder, and numbers that
 * are none of its files lead to what stdin, stdout and stderr answer.
 */
export function withTmp(
  tmp: Tmp,
  stdio: Readonly<Record<string, Preview1Function>>,
  open: Stdio,
  memory: Memory,
): { readonly functions: Readonly<Record<string, Preview1Function>>; has(fd: number): boolean } {
  const root = tmp.descriptors.open(tmp.scratch.root, { read: true, write: false });
  const files = new Map<number, Descriptor>([[3, root]]);
  const isOpen = (fd: number): boolean => open.has(fd) || files.has(fd);
  const table = {
    get: (fd: number) => files.get(fd),
    add(descriptor: Descriptor) {
      let fd = 0;
      while (isOpen(fd)) fd++;
      files.set(fd, descriptor);
      return fd;
    },
  };
  const close = (fd: number): number => {
    if (open.delete(fd)) return errno.success;
    files.get(fd)?.[Symbol.dispose]();
    return files.delete(fd) ? errno.success : errno.badf;
  };
  const ofFiles = Object.entries(fileFunctions(tmp, memory)).map(([name, call]) => {
    const otherwise = stdio[name];
    const either = (fd: number, ...args: never[]): number => {
      const file = files.get(fd);
      if (file !== undefined) return call(file, ...args);
      return otherwise === undefined ? errno.badf : otherwise(...([fd, ...args] as never[]));
    };
    return [name, either];
  });
  return {
    has: (fd) => files.has(fd),
    functions: {
      ...(Object.fromEntries(ofFiles) as Record<string, Preview1Function>),
      ...pathFunctions(tmp, table, memory, (fd) => (open.has(fd) ? errno.notdir : errno.badf)),
      fd_close: close,
      fd_renumber(from: number, to: number) {
        if (!isOpen(from) || !isOpen(to)) return errno.badf;
        if (from === to) return errno.success;
        close(to);
        const [file, stream] = [files.get(from), open.get(from)];
        if (file !== undefined) files.set(to, file);
        if (stream !== undefined) open.set(to, stream);
        files.delete(from);
        open.delete(from);
        return errno.success;
      },
    },
  };
}
