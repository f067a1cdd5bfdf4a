import { command, component, program, text, typed, wat } from "../components.ts";
import type { Attack } from "./attack.ts";

const paths = ["/", "..", "../../../etc/passwd", "/proc/self/environ", "/proc/self/mem", "/tmp", "."];

/** Tries all calls, and prints how many of them succeeded. */
const succeeding = `
  (call $try-all)
  (i32.store8 (i32.const 512) (i32.add (i32.const 48) (global.get $succeeded)))
  (call $put (i32.const 1) (i32.const 512) (i32.const 1))`;

/** Makes each call with each of the first 64 file descriptors in $fd. */
const counting = (calls: readonly string[]): string => `
  (global $succeeded (mut i32) (i32.const 0))
  (func $count (param $errno i32)
    (if (i32.eqz (local.get $errno))
      (then (global.set $succeeded (i32.add (global.get $succeeded) (i32.const 1))))))
  (func $try-all (local $fd i32)
    (loop $next
      ${calls.map((call) => `(call $count ${call})`).join("\n")}
      (local.set $fd (i32.add (local.get $fd) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $fd) (i32.const 64)))))
  ${text(paths.join("\\00"))}`;

/** Places of the paths in memory. */
const places = paths.map((path, index) => ({
  path,
  at: 4096 + paths.slice(0, index).reduce((sum, it) => sum + it.length + 1, 0),
}));

const ofEachPath = (call: (pathAndLength: string) => string): readonly string[] =>
  places.map(({ path, at }) => call(`(i32.const ${at}) (i32.const ${path.length})`));

/** Preview 1 functions of files and folders that its shell does not import. */
const preview1 = (
  functions: Readonly<Record<string, string>>,
  calls: readonly string[],
): Promise<Uint8Array> =>
  wat(`(module
    ${Object.entries(functions)
      .map(
        ([name, params]) =>
          `(import "wasi_snapshot_preview1" "${name}" (func $${name} (param ${params}) (result i32)))`,
      )
      .join("\n")}
    (import "wasi_snapshot_preview1" "fd_write" (func $fd-write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (func $put (param $fd i32) (param $at i32) (param $length i32)
      (i32.store (i32.const 0) (local.get $at))
      (i32.store (i32.const 4) (local.get $length))
      (drop (call $fd-write (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8))))
    ${counting(calls)}
    (func (export "_start") ${succeeding}))`);

const opening = ofEachPath(
  (path) =>
    `(call $path-open (local.get $fd) (i32.const 1) ${path} (i32.const 0) (i64.const -1) (i64.const -1) (i32.const 0) (i32.const 16))`,
);

/** Imports beside those of the shell of a typed step, by what they are called here. */
const openAt = `(import "wasi:filesystem/types@0.2.9" "[method]descriptor.open-at"
  (func $open-at (param i32 i32 i32 i32 i32 i32 i32)))`;
const environment = `
  (import "wasi:cli/environment@0.2.9" "get-environment" (func $get-environment (param i32)))
  (import "wasi:cli/environment@0.2.9" "initial-cwd" (func $initial-cwd (param i32)))
  (import "wasi:filesystem/preopens@0.2.9" "get-directories" (func $get-directories (param i32)))`;

/** Returns 0 when nothing was found, "1" else. */
const found = (condition: string): string => `
  (i32.store8 (i32.const 4096) (i32.add (i32.const 48) (i32.ne ${condition} (i32.const 0))))
  (call $ok (i32.const 4096) (i32.const 1))`;

/** Looking around: files, folders, the environment, the working directory. */
export const ambientAttacks: readonly Attack[] = [
  {
    name: "/, /proc, .. and more through every file descriptor",
    artifact: () => command(succeeding, { declarations: counting(opening) }),
    output: 0,
  },
  {
    name: "links out of a folder, made and read through every file descriptor",
    artifact: () => {
      const calls = [
        ...ofEachPath(
          (path) => `(call $path_symlink ${path} (local.get $fd) (i32.const 4096) (i32.const 1))`,
        ),
        ...ofEachPath(
          (path) =>
            `(call $path_readlink (local.get $fd) ${path} (i32.const 1024) (i32.const 64) (i32.const 16))`,
        ),
        ...ofEachPath(
          (path) => `(call $path_link (local.get $fd) (i32.const 1) ${path} (local.get $fd) ${path})`,
        ),
      ];
      const functions = {
        path_symlink: "i32 i32 i32 i32 i32",
        path_readlink: "i32 i32 i32 i32 i32 i32",
        path_link: "i32 i32 i32 i32 i32 i32 i32",
      };
      return preview1(functions, calls);
    },
    output: 0,
  },
  {
    name: "to list, make, rename and remove what is in a folder",
    artifact: () => {
      const calls = [
        "(call $fd_readdir (local.get $fd) (i32.const 1024) (i32.const 512) (i64.const 0) (i32.const 16))",
        "(call $fd_prestat_get (local.get $fd) (i32.const 1024))",
        ...ofEachPath((path) => `(call $path_create_directory (local.get $fd) ${path})`),
        ...ofEachPath((path) => `(call $path_remove_directory (local.get $fd) ${path})`),
        ...ofEachPath((path) => `(call $path_unlink_file (local.get $fd) ${path})`),
        ...ofEachPath((path) => `(call $path_rename (local.get $fd) ${path} (local.get $fd) ${path})`),
        ...ofEachPath(
          (path) => `(call $path_filestat_get (local.get $fd) (i32.const 1) ${path} (i32.const 1024))`,
        ),
      ];
      const functions = {
        fd_readdir: "i32 i32 i32 i64 i32",
        fd_prestat_get: "i32 i32",
        path_create_directory: "i32 i32 i32",
        path_remove_directory: "i32 i32 i32",
        path_unlink_file: "i32 i32 i32",
        path_rename: "i32 i32 i32 i32 i32 i32",
        path_filestat_get: "i32 i32 i32 i32 i32",
      };
      return preview1(functions, calls);
    },
    output: 0,
  },
  {
    name: "the environment, the working directory and the folders that it was given",
    artifact: () =>
      typed(
        `(call $get-environment (i32.const 64)) (call $initial-cwd (i32.const 80)) (call $get-directories (i32.const 96))
         ${found("(i32.or (i32.or (i32.load (i32.const 68)) (i32.load8_u (i32.const 80))) (i32.load (i32.const 100)))")}`,
        { imports: environment },
      ),
    output: 0,
  },
  {
    name: "the environment of a command",
    artifact: () =>
      command(
        `(drop (call $environ-sizes-get (i32.const 16) (i32.const 20)))
         (i32.store8 (i32.const 512) (i32.add (i32.const 48) (i32.or (i32.load (i32.const 16)) (i32.load (i32.const 20)))))
         (call $put (i32.const 1) (i32.const 512) (i32.const 1))`,
      ),
    output: 0,
  },
  ...paths.slice(0, 4).map((path): Attack => ({
    name: `to open ${path} by a descriptor that it makes up`,
    artifact: () =>
      typed(
        `(call $open-at (i32.const 3) (i32.const 1) (i32.const 4096) (i32.const ${path.length}) (i32.const 0) (i32.const 1) (i32.const 64))
         (call $ok (i32.const 4096) (i32.const 1))`,
        { imports: openAt, declarations: text(path) },
      ),
    code: "ERR_STEP_TRAP",
    message: /handle/,
  })),
];

const lookUp = `
  (import "wasi:sockets/instance-network@0.2.9" "instance-network" (func $network (result i32)))
  (import "wasi:sockets/ip-name-lookup@0.2.9" "resolve-addresses" (func $resolve (param i32 i32 i32 i32)))`;
const sockets = `
  (import "wasi:sockets/tcp-create-socket@0.2.9" "create-tcp-socket" (func $tcp (param i32 i32)))
  (import "wasi:sockets/udp-create-socket@0.2.9" "create-udp-socket" (func $udp (param i32 i32)))`;

/** 1 is the error case, then 1 is access-denied: what both of them come to as one number. */
const denied = "(i32.ne (i32.load8_u (i32.const 64)) (i32.const 1))";
const deniedWhy = "(i32.ne (i32.load8_u (i32.const 68)) (i32.const 1))";

/** Names and addresses, also of what only a machine in a cloud can reach. */
const hosts = [
  "localhost",
  "127.0.0.1",
  "169.254.169.254",
  "metadata.google.internal",
  "[fd00:ec2::254]",
  "",
];

/** Reaching out: sockets, names, the addresses of a cloud's metadata. */
export const networkAttacks: readonly Attack[] = [
  ...hosts.map((host): Attack => ({
    name: `to resolve ${JSON.stringify(host)}`,
    artifact: () =>
      typed(
        `(call $resolve (call $network) (i32.const 4096) (i32.const ${host.length}) (i32.const 64))
         ${found(`(i32.or ${denied} ${deniedWhy})`)}`,
        { imports: lookUp, declarations: text(host) },
      ),
    output: 0,
  })),
  ...["tcp", "udp"].flatMap((kind) =>
    [0, 1].map((family): Attack => ({
      name: `a socket of ${kind}, IPv${family === 0 ? 4 : 6}`,
      artifact: () =>
        typed(
          `(call $${kind} (i32.const ${family}) (i32.const 64)) ${found(`(i32.or ${denied} ${deniedWhy})`)}`,
          { imports: sockets },
        ),
      output: 0,
    })),
  ),
  {
    name: "to connect a socket that it makes up to a metadata address",
    artifact: () =>
      typed(
        `(call $connect (i32.const 5) (i32.const 1) (i32.const 0) (i32.const 80)
           (i32.const 169) (i32.const 254) (i32.const 169) (i32.const 254)
           (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 64))
         (call $ok (i32.const 4096) (i32.const 1))`,
        {
          imports: `(import "wasi:sockets/tcp@0.2.9" "[method]tcp-socket.start-connect"
            (func $connect (param ${"i32 ".repeat(15)})))`,
        },
      ),
    code: "ERR_STEP_TRAP",
    message: /handle/,
  },
  {
    name: "to send and receive through every file descriptor",
    artifact: () =>
      preview1(
        {
          sock_send: "i32 i32 i32 i32 i32",
          sock_recv: "i32 i32 i32 i32 i32 i32",
          sock_accept: "i32 i32 i32",
        },
        [
          "(call $sock_send (local.get $fd) (i32.const 1024) (i32.const 1) (i32.const 0) (i32.const 16))",
          "(call $sock_recv (local.get $fd) (i32.const 1024) (i32.const 1) (i32.const 0) (i32.const 16) (i32.const 20))",
          "(call $sock_accept (local.get $fd) (i32.const 0) (i32.const 16))",
        ],
      ),
    output: 0,
  },
];

/** Interfaces that stand for a capability, or for another version of what is there. */
const ungranted = [
  "wasi:http/outgoing-handler@0.2.9",
  "wasi:http/types@0.2.9",
  "wasi:http/client@0.3.0",
  "wasi:filesystem/types@0.3.0",
  "wasi:sockets/types@0.3.0",
  "wasi:cli/environment@0.3.0",
  "wasi:clocks/timezone@0.2.9",
  "wasi:config/store@0.2.0-rc.1",
  "wasi:keyvalue/store@0.2.0-draft",
  "wasi:blobstore/blobstore@0.2.0-draft",
  "wasi:messaging/producer@0.2.0-draft",
  "wasi:logging/logging@0.1.0-draft",
  "wasi:nn/inference@0.2.0-rc-2024-10-28",
  "wasi:io/streams@1.2.0",
  "millrace:step/http@0.1.0",
  "millrace:step/tmp@0.1.0",
  "millrace:step/secrets@0.1.0",
  "millrace:step/env@0.1.0",
  "millrace:step/log@0.2.0",
  "constructor",
];

const coreModules = [
  "env",
  "wasi",
  "wasi_unstable",
  "wasi_snapshot_preview2",
  "__proto__",
  "constructor",
  "millrace:memory",
];

const escaped = (name: string): RegExp => new RegExp(name.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`));

/** Imports that no step is granted: refused by name before anything runs, called or not. */
export const ungrantedAttacks: readonly Attack[] = [
  ...ungranted.map((name): Attack => ({
    name,
    artifact: () => component(`(import "${name}" (instance (export "x" (func))))`),
    refused: true,
    code: "ERR_COMPONENT_IMPORT",
    message: escaped(name),
  })),
  ...coreModules.map((name): Attack => ({
    name: `a core module named ${name}`,
    artifact: () =>
      wat(
        `(module (import "${name}" "thread-spawn" (func (param i32) (result i32))) (func (export "_start")))`,
      ),
    refused: true,
    code: "ERR_COMPONENT_IMPORT",
    message: escaped(name),
  })),
  {
    name: "one such among a hundred that are granted",
    artifact: () =>
      component(
        Array.from({ length: 100 }, (_, patch) => `(import "wasi:cli/exit@0.2.${patch}" (instance))`).join(
          "\n",
        ) + '(import "wasi:http/types@0.2.0" (instance))',
      ),
    refused: true,
    code: "ERR_COMPONENT_IMPORT",
    message: /wasi:http\/types@0\.2\.0/,
  },
  {
    name: "ten thousand of them, with a message no longer than others",
    artifact: () =>
      component(
        Array.from({ length: 10_000 }, (_, index) => `(import "acme:capability/x${index}" (instance))`).join(
          "\n",
        ),
      ),
    refused: true,
    code: "ERR_COMPONENT_IMPORT",
    message: /acme:capability\/x0, .* and 9980 more/,
  },
  {
    name: "a function of preview 1 that every object has",
    artifact: () =>
      wat(`(module (import "wasi_snapshot_preview1" "constructor" (func $f (param i32) (result externref)))
        (memory (export "memory") 1) (func (export "_start") (drop (call $f (i32.const 1)))))`),
    code: "ERR_COMPONENT_IMPORT",
  },
  {
    name: "a program that only looks like one",
    artifact: () => program("(i32.const 0)").then((bytes) => bytes.subarray(0, 8)),
    refused: true,
    code: "ERR_COMPONENT_EXPORT",
  },
];
