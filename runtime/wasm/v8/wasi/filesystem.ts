import { directoryOf, readable, writable } from "../tmp/descriptor.ts";
import type { Descriptor } from "../tmp/descriptor.ts";
import { faults, isFault } from "../tmp/fault.ts";
import type { Fault } from "../tmp/fault.ts";
import { readFile } from "../tmp/file.ts";
import { sizeOf } from "../tmp/node.ts";
import type { DirectoryNode, Node } from "../tmp/node.ts";
import * as operations from "../tmp/operations.ts";
import type { Listed } from "../tmp/operations.ts";
import type { NewTime } from "../tmp/scratch.ts";
import { fileSink, fileSource } from "../tmp/stream.ts";
import { tmpPath } from "../tmp/tmp.ts";
import type { Tmp } from "../tmp/tmp.ts";
import { err, hostFunction, none, ok } from "./host-function.ts";
import type { HostFunction, HostInterfaces } from "./host-function.ts";
import type { StepWorld } from "./world.ts";

const codes = Object.keys(faults) as Fault[];
const errorCode = `enum{${codes.join(", ")}}`;
const types =
  "enum{unknown, block-device, character-device, directory, fifo, symbolic-link, regular-file, socket}";
const flags =
  "flags{read, write, file-integrity-sync, data-integrity-sync, requested-write-sync, mutate-directory}";
const openFlags = "flags{create, directory, exclusive, truncate}";
const follows = "flags{symlink-follow}";
const datetime = "record{seconds: u64, nanoseconds: u32}";
const stat =
  `record{type: ${types}, link-count: u64, size: u64, data-access-timestamp: option<${datetime}>, ` +
  `data-modification-timestamp: option<${datetime}>, status-change-timestamp: option<${datetime}>}`;
const newTime = `variant{no-change, now, timestamp(${datetime})}`;
const advice = "enum{normal, sequential, random, will-need, dont-need, no-reuse}";
const hash = "record{lower: u64, upper: u64}";

const typeNumbers = { directory: 3, link: 5, file: 6 } as const;
const nanosecondsPerSecond = 1_000_000_000n;

type Time = readonly [seconds: bigint, nanoseconds: number];
type NewTimestamp = readonly [0 | 1 | 2, Time | undefined];

/** wasi:filesystem over the attempt's `/tmp`. Without the grant no folder is there, so that no descriptor ever is. */
export const filesystemInterfaces: HostInterfaces = {
  "wasi:filesystem/preopens": {
    "get-directories": hostFunction("() -> list<tuple<own<descriptor>, string>>", ({ tmp }) => {
      if (tmp === undefined) return [];
      const { scratch, descriptors } = tmp;
      // Programs ask once, as they begin; one that asks without an end runs out of handles.
      return [[descriptors.open(scratch.root, { read: true, write: false }), tmpPath]];
    }),
  },
  "wasi:filesystem/types": {
    ...methods({
      "read-via-stream": method<[bigint]>("u64", "own<input-stream>", ({ scratch }, self, offset) => {
        const file = readable(self);
        return isFault(file) ? file : ok(fileSource(scratch, file, offset));
      }),
      "write-via-stream": method<[bigint]>("u64", "own<output-stream>", ({ scratch }, self, offset) => {
        const file = writable(self);
        return isFault(file) ? file : ok(fileSink(scratch, file, offset));
      }),
      "append-via-stream": method("", "own<output-stream>", ({ scratch }, self) => {
        const file = writable(self);
        return isFault(file) ? file : ok(fileSink(scratch, file, undefined));
      }),
      advise: method(`u64, u64, ${advice}`, "_", (_, { node }) =>
        node.is === "file" ? ok() : "bad-descriptor",
      ),
      sync: method("", "_", () => ok()),
      "sync-data": method("", "_", () => ok()),
      "get-flags": method("", flags, (_, { node, read, write, flags }) =>
        ok(node.is === "directory" ? 0b10_0001 : Number(read) | (Number(write) << 1) | flags),
      ),
      "get-type": method("", types, (_, { node }) => ok(typeNumbers[node.is])),
      "set-size": method<[bigint]>("u64", "_", ({ scratch }, self, size) => {
        const file = writable(self);
        return isFault(file) ? file : ok(scratch.resize(file, size));
      }),
      "set-times": method<[NewTimestamp, NewTimestamp]>(
        `${newTime}, ${newTime}`,
        "_",
        (tmp, { node }, accessed, modified) => setTimes(tmp, node, accessed, modified),
      ),
      read: method<[bigint, bigint]>("u64, u64", "tuple<list<u8>, bool>", (_, self, length, offset) => {
        const file = readable(self);
        if (isFault(file)) return file;
        const bytes = readFile(file, offset, Number(length));
        return ok([bytes, bytes.length === 0]);
      }),
      write: method<[Uint8Array, bigint]>("list<u8>, u64", "u64", ({ scratch }, self, bytes, offset) => {
        const file = writable(self);
        if (isFault(file)) return file;
        scratch.write(file, offset, bytes);
        return ok(BigInt(bytes.length));
      }),
      stat: method("", stat, (_, { node }) => ok(statOf(node))),
      "metadata-hash": method("", hash, (_, { node }) => ok(hashOf(node))),
    }),
    ...methods(pathMethods()),
    "[method]descriptor.is-same-object": hostFunction<[Descriptor, Descriptor]>(
      "(borrow<descriptor>, borrow<descriptor>) -> bool",
      (_, [one, other]) => one.node === other.node,
    ),
    "[method]directory-entry-stream.read-directory-entry": hostFunction<[Iterator<Listed>]>(
      `(borrow<directory-entry-stream>) -> result<option<record{type: ${types}, name: string}>, ${errorCode}>`,
      (_, [listing]) => {
        const { done, value } = listing.next();
        return ok(done === true ? none : [1, [typeNumbers[value.node.is], value.name]]);
      },
    ),
    // No stream over these files ever fails.
    "filesystem-error-code": hostFunction(`(borrow<error>) -> option<${errorCode}>`, () => none),
  },
};

/** What begins at a directory with a path. */
function pathMethods(): Readonly<Record<string, HostFunction>> {
  return {
    "read-directory": method("", "own<directory-entry-stream>", (_, self) => {
      const directory = directoryOf(self);
      return isFault(directory) ? directory : ok(operations.listFrom(directory, 0));
    }),
    "create-directory-at": pathMethod<[string]>("string", "_", ({ scratch }, base, path) =>
      done(operations.makeDirectory(scratch, base, path)),
    ),
    "remove-directory-at": pathMethod<[string]>("string", "_", ({ scratch }, base, path) =>
      done(operations.removeDirectory(scratch, base, path)),
    ),
    "unlink-file-at": pathMethod<[string]>("string", "_", ({ scratch }, base, path) =>
      done(operations.removeFile(scratch, base, path)),
    ),
    "symlink-at": pathMethod<[string, string]>("string, string", "_", ({ scratch }, base, target, path) =>
      done(operations.makeLink(scratch, target, base, path)),
    ),
    "readlink-at": pathMethod<[string]>("string", "string", (_, base, path) => {
      const link = operations.readLink(base, path);
      return isFault(link) ? link : ok(link.target);
    }),
    "stat-at": pathMethod<[number, string]>(`${follows}, string`, stat, (_, base, follow, path) => {
      const node = operations.find(base, path, follow === 1);
      return isFault(node) ? node : ok(statOf(node));
    }),
    "metadata-hash-at": pathMethod<[number, string]>(`${follows}, string`, hash, (_, base, follow, path) => {
      const node = operations.find(base, path, follow === 1);
      return isFault(node) ? node : ok(hashOf(node));
    }),
    "set-times-at": pathMethod<[number, string, NewTimestamp, NewTimestamp]>(
      `${follows}, string, ${newTime}, ${newTime}`,
      "_",
      (tmp, base, follow, path, accessed, modified) => {
        const node = operations.find(base, path, follow === 1);
        return isFault(node) ? node : setTimes(tmp, node, accessed, modified);
      },
    ),
    "link-at": pathMethod<[number, string, Descriptor, string]>(
      `${follows}, string, borrow<descriptor>, string`,
      "_",
      ({ scratch }, base, follow, path, other, newPath) => {
        const to = directoryOf(other);
        if (isFault(to)) return to;
        const from = { base, path, follow: follow === 1 };
        return done(operations.addName(scratch, from, { base: to, path: newPath }));
      },
    ),
    "rename-at": pathMethod<[string, Descriptor, string]>(
      "string, borrow<descriptor>, string",
      "_",
      ({ scratch }, base, path, other, newPath) => {
        const to = directoryOf(other);
        if (isFault(to)) return to;
        return done(operations.rename(scratch, { base, path }, { base: to, path: newPath }));
      },
    ),
    "open-at": pathMethod<[number, string, number, number]>(
      `${follows}, string, ${openFlags}, ${flags}`,
      "own<descriptor>",
      (tmp, base, follow, path, how, access) => openAt(tmp, base, { follow, path, how, access }),
    ),
  };
}

interface OpenAt {
  readonly follow: number;
  readonly path: string;
  readonly how: number;
  readonly access: number;
}

function openAt(
  { scratch, descriptors }: Tmp,
  base: DirectoryNode,
  { follow, path, how, access }: OpenAt,
): Outcome {
  if (descriptors.isFull()) return "insufficient-memory";
  const write = (access & 2) !== 0;
  const node = operations.open(scratch, base, path, {
    follow: follow === 1,
    create: (how & 1) !== 0,
    directory: (how & 2) !== 0,
    exclusive: (how & 4) !== 0,
    truncate: (how & 8) !== 0,
    write,
  });
  if (isFault(node)) return node;
  return ok(descriptors.open(node, { read: (access & 1) !== 0, write, flags: access & 0b1_1100 }));
}

type Outcome = Fault | readonly [0, unknown];

function done(fault: Fault | undefined): Outcome {
  return fault ?? ok();
}

/** A method of a descriptor that gives its result, or a fault. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- it names the arguments at the call
function method<Args extends readonly unknown[] = []>(
  parameters: string,
  result: string,
  call: (tmp: Tmp, self: Descriptor, ...args: Args) => Outcome,
): HostFunction {
  return hostFunction<[Descriptor, ...Args]>(
    `(borrow<descriptor>${parameters === "" ? "" : `, ${parameters}`}) -> result<${result}, ${errorCode}>`,
    ({ tmp }: StepWorld, [self, ...args]) => {
      const outcome = tmp === undefined ? "bad-descriptor" : call(tmp, self, ...(args as unknown as Args));
      return isFault(outcome) ? err(codes.indexOf(outcome)) : outcome;
    },
  );
}

/** A method that is only a directory's. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- it names the arguments at the call
function pathMethod<Args extends readonly unknown[]>(
  parameters: string,
  result: string,
  call: (tmp: Tmp, base: DirectoryNode, ...args: Args) => Outcome,
): HostFunction {
  return method<Args>(parameters, result, (tmp, self, ...args) => {
    const base = directoryOf(self);
    return isFault(base) ? base : call(tmp, base, ...args);
  });
}

function methods(table: Readonly<Record<string, HostFunction>>): Readonly<Record<string, HostFunction>> {
  return Object.fromEntries(
    Object.entries(table).map(([name, call]) => [`[method]descriptor.${name}`, call]),
  );
}

function setTimes({ scratch }: Tmp, node: Node, accessed: NewTimestamp, modified: NewTimestamp): Outcome {
  const times = [timeOf(accessed), timeOf(modified)] as const;
  if (times[0] === "invalid" || times[1] === "invalid") return "invalid";
  scratch.setTimes(node, times[0], times[1]);
  return ok();
}

function timeOf([which, time]: NewTimestamp): NewTime | "invalid" {
  if (which !== 2 || time === undefined) return which === 1 ? "now" : undefined;
  const [seconds, nanoseconds] = time;
  const whole = seconds * nanosecondsPerSecond + BigInt(nanoseconds);
  return nanoseconds >= nanosecondsPerSecond || whole >= 2n ** 64n ? "invalid" : whole;
}

function statOf(node: Node): unknown {
  const times = [node.accessed, node.modified, node.changed];
  return [
    typeNumbers[node.is],
    BigInt(node.links),
    BigInt(sizeOf(node)),
    ...times.map((time) => [1, [time / nanosecondsPerSecond, Number(time % nanosecondsPerSecond)]]),
  ];
}

/** Two nodes of one attempt never share it. */
function hashOf({ inode }: Node): unknown {
  return [BigInt(inode), 0n];
}
