import { nanoseconds } from "./clock.ts";
import { errno } from "./errno.ts";
import { pollOneoff } from "./preview1-poll.ts";
import { withTmp } from "./preview1-tmp.ts";
import { eachVector } from "./preview1-memory.ts";
import type { Memory, Preview1Function, Stdio } from "./preview1-memory.ts";
import type { StepWorld } from "./world.ts";

/** Functions that only files and folders have. */
const fileFunctions =
  "fd_advise fd_allocate fd_datasync fd_fdstat_set_rights fd_filestat_set_size fd_filestat_set_times fd_pread fd_pwrite " +
  "fd_readdir fd_seek fd_sync fd_tell";

const folderFunctions =
  "path_create_directory path_filestat_get path_filestat_set_times path_open path_readlink path_remove_directory " +
  "path_rename path_unlink_file";

const socketFunctions = "sock_accept sock_recv sock_send sock_shutdown";

type CoreFunction = (...args: unknown[]) => number;

/**
 * The functions of `wasi_snapshot_preview1` for one attempt: arguments, environment, stdin, stdout, stderr, clocks,
 * randomness, sleep and exit work, and files in `/tmp` where it is granted; there are no sockets. Pointers that lead out
 * of the module's memory throw a RangeError, which ends the guest as a trap.
 */
export function createPreview1(world: StepWorld, memory: Memory): Readonly<Record<string, CoreFunction>> {
  const open: Stdio = new Map([
    [0, 0],
    [1, 1],
    [2, 2],
  ]);
  const onStdio = (result: number) => (fd: number) => (open.has(fd) ? result : errno.badf);
  const functions = {
    ...failing(fileFunctions, onStdio(errno.spipe)),
    ...failing(folderFunctions, onStdio(errno.notdir)),
    ...failing(socketFunctions, onStdio(errno.notsock)),
    path_link: (fd: number) => onStdio(errno.notdir)(fd),
    path_symlink: (_path: number, _length: number, fd: number) => onStdio(errno.notdir)(fd),
    ...stdio(world, memory, open),
  };
  const { tmp } = world;
  const files = tmp && withTmp(tmp, functions, open, memory);
  return telling(world, {
    ...functions,
    ...files?.functions,
    ...textLists(world, memory),
    ...clocks(world, memory),
    poll_oneoff: pollOneoff(world, memory, (fd) => open.has(fd) || files?.has(fd) === true),
    proc_exit: (status: number) => world.exit(status),
    proc_raise: () => errno.nosys,
    sched_yield: () => errno.success,
    random_get: (pointer: number, length: number) => {
      world.ambient.random(new Uint8Array(memory(), pointer >>> 0, length >>> 0));
      return errno.success;
    },
  });
}

function failing(names: string, call: Preview1Function): Record<string, Preview1Function> {
  return Object.fromEntries(names.split(" ").map((name) => [name, call]));
}

/**
 * The functions, none of an object's own (a module may import whatever the object has by a name), with the attempt
 * hearing of what they throw: a guest can catch it.
 */
function telling(
  world: StepWorld,
  functions: Readonly<Record<string, Preview1Function>>,
): Readonly<Record<string, CoreFunction>> {
  const told = Object.create(null) as Record<string, CoreFunction>;
  for (const name of Object.keys(functions)) {
    const call = functions[name] as CoreFunction;
    told[name] = (...args) => {
      try {
        return call(...args);
      } catch (error) {
        world.threw(error);
        throw error;
      }
    };
  }
  return told;
}

function textLists({ args, env }: StepWorld, memory: Memory): Record<string, Preview1Function> {
  const encoded = args.map((arg) => Buffer.from(`${arg}\0`));
  const variables = env.map(([name, value]) => Buffer.from(`${name}=${value}\0`));
  const sizes = (list: readonly Uint8Array[]) => (countPointer: number, sizePointer: number) => {
    const view = new DataView(memory());
    view.setUint32(countPointer >>> 0, list.length, true);
    view.setUint32(
      sizePointer >>> 0,
      list.reduce((sum, { length }) => sum + length, 0),
      true,
    );
    return errno.success;
  };
  const get = (list: readonly Uint8Array[]) => (pointers: number, buffer: number) => {
    const view = new DataView(memory());
    let at = buffer >>> 0;
    for (const [index, text] of list.entries()) {
      view.setUint32((pointers >>> 0) + 4 * index, at, true);
      new Uint8Array(memory(), at, text.length).set(text);
      at += text.length;
    }
    return errno.success;
  };
  return {
    args_sizes_get: sizes(encoded),
    args_get: get(encoded),
    environ_sizes_get: sizes(variables),
    environ_get: get(variables),
  };
}

function clocks({ ambient }: StepWorld, memory: Memory): Record<string, Preview1Function> {
  const view = (): DataView => new DataView(memory());
  return {
    clock_res_get: (clock: number, pointer: number) => {
      if (nanoseconds(ambient, clock) === undefined) return errno.inval;
      view().setBigUint64(pointer >>> 0, clock === 0 ? 1_000_000n : 1_000n, true);
      return errno.success;
    },
    clock_time_get: (clock: number, _precision: bigint, pointer: number) => {
      const now = nanoseconds(ambient, clock);
      if (now === undefined) return errno.inval;
      view().setBigUint64(pointer >>> 0, now, true);
      return errno.success;
    },
  };
}

function stdio(world: StepWorld, memory: Memory, open: Stdio): Record<string, Preview1Function> {
  const view = (): DataView => new DataView(memory());
  return {
    fd_read: (fd: number, vectors: number, count: number, readPointer: number) => {
      if (open.get(fd) !== 0) return errno.badf;
      let total = 0;
      eachVector(memory, vectors, count, (into) => {
        const bytes = into.length === 0 ? undefined : world.stdin.read(into.length);
        if (bytes !== undefined) into.set(bytes);
        total += bytes?.length ?? 0;
        return bytes !== undefined || into.length === 0;
      });
      view().setUint32(readPointer >>> 0, total, true);
      return errno.success;
    },
    fd_write: (fd: number, vectors: number, count: number, writtenPointer: number) => {
      const which = open.get(fd);
      if (which !== 1 && which !== 2) return errno.badf;
      const sink = which === 1 ? world.stdout : world.stderr;
      let total = 0;
      eachVector(memory, vectors, count, (bytes) => {
        sink.write(bytes);
        total += bytes.length;
        return true;
      });
      view().setUint32(writtenPointer >>> 0, total, true);
      return errno.success;
    },
    fd_close: (fd: number) => (open.delete(fd) ? errno.success : errno.badf),
    fd_renumber: (from: number, to: number) => (open.has(from) && open.has(to) ? errno.nosys : errno.badf),
    fd_prestat_get: () => errno.badf,
    fd_prestat_dir_name: () => errno.badf,
    fd_fdstat_set_flags: (fd: number) => (open.has(fd) ? errno.success : errno.badf),
    fd_fdstat_get: (fd: number, pointer: number) => {
      if (!open.has(fd)) return errno.badf;
      // File type unknown (a pipe: no terminal), no flags, the right to read or to write.
      new Uint8Array(memory(), pointer >>> 0, 24).fill(0);
      view().setBigUint64((pointer >>> 0) + 8, open.get(fd) === 0 ? 0x2n : 0x40n, true);
      return errno.success;
    },
    fd_filestat_get: (fd: number, pointer: number) => {
      if (!open.has(fd)) return errno.badf;
      new Uint8Array(memory(), pointer >>> 0, 64).fill(0);
      return errno.success;
    },
  };
}
