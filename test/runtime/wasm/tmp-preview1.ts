import { wat } from "./components.ts";
import { createTexts, printing } from "./tmp-guest.ts";
import type { FileCalls, How, Texts } from "./tmp-guest.ts";

const functions: Readonly<Record<string, string>> = {
  fd_write: "i32 i32 i32 i32",
  fd_pread: "i32 i32 i32 i64 i32",
  fd_pwrite: "i32 i32 i32 i64 i32",
  fd_read: "i32 i32 i32 i32",
  fd_seek: "i32 i64 i32 i32",
  fd_tell: "i32 i32",
  fd_close: "i32",
  fd_renumber: "i32 i32",
  fd_readdir: "i32 i32 i32 i64 i32",
  fd_allocate: "i32 i64 i64",
  fd_advise: "i32 i64 i64 i32",
  fd_sync: "i32",
  fd_fdstat_get: "i32 i32",
  fd_fdstat_set_flags: "i32 i32",
  fd_fdstat_set_rights: "i32 i64 i64",
  fd_filestat_get: "i32 i32",
  fd_filestat_set_size: "i32 i64",
  fd_filestat_set_times: "i32 i64 i64 i32",
  fd_prestat_get: "i32 i32",
  fd_prestat_dir_name: "i32 i32 i32",
  path_create_directory: "i32 i32 i32",
  path_filestat_get: "i32 i32 i32 i32 i32",
  path_filestat_set_times: "i32 i32 i32 i32 i64 i64 i32",
  path_link: "i32 i32 i32 i32 i32 i32 i32",
  path_open: "i32 i32 i32 i32 i32 i64 i64 i32 i32",
  path_readlink: "i32 i32 i32 i32 i32 i32",
  path_remove_directory: "i32 i32 i32",
  path_rename: "i32 i32 i32 i32 i32 i32",
  path_symlink: "i32 i32 i32 i32 i32",
  path_unlink_file: "i32 i32 i32",
};

const imports = Object.entries(functions)
  .map(
    ([name, parameters]) =>
      `(import "wasi_snapshot_preview1" "${name}" (func $${name} (param ${parameters}) (result i32)))`,
  )
  .join("\n");

/** A preview 1 command of these calls, one after another; `declarations` are more functions. */
export function tmpCommand(
  calls: (fs: FileCalls, texts: Texts) => readonly string[],
  declarations = "",
): Promise<Uint8Array> {
  const texts = createTexts();
  const body = calls(preview1Calls(texts), texts).join("\n");
  return wat(`(module
    ${imports}
    (memory (export "memory") 2)
    (func $put (param $at i32) (param $length i32)
      (i32.store (i32.const 200) (local.get $at))
      (i32.store (i32.const 204) (local.get $length))
      (drop (call $fd_write (i32.const 1) (i32.const 200) (i32.const 1) (i32.const 208))))
    ${printing}
    ${listing}
    ${declarations}
    ${texts.data()}
    (func (export "_start") (local $a i32) (local $b i32)
      (global.set $s0 (i32.const 3))
      ${body}))`);
}

/** Prints the names in a folder, with spaces between, without `.` and `..`. */
const listing = `
  (func $list (param $fd i32)
    (local $at i32) (local $end i32) (local $length i32) (local $errno i32)
    (local.set $errno (call $fd_readdir (local.get $fd) (i32.const 65536) (i32.const 65536) (i64.const 0) (i32.const 16)))
    (if (local.get $errno) (then (call $line (local.get $errno)) (return)))
    (local.set $end (i32.add (i32.const 65536) (i32.load (i32.const 16))))
    (local.set $at (i32.const 65536))
    (call $character (i32.const 61))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (i32.add (local.get $at) (i32.const 24)) (local.get $end)))
        (local.set $length (i32.load offset=16 (local.get $at)))
        (if (i64.gt_u (i64.load (local.get $at)) (i64.const 2))
          (then
            (call $put (i32.add (local.get $at) (i32.const 24)) (local.get $length))
            (call $character (i32.const 32))))
        (local.set $at (i32.add (local.get $at) (i32.add (i32.const 24) (local.get $length))))
        (br $next)))
    (call $character (i32.const 10)))`;

const fd = (slot = 0): string => `(global.get $s${slot})`;
const line = (call: string): string => `(call $line ${call})`;
/** A line of the error number, or what prints the value. */
const either = (call: string, value: string): string =>
  `(local.set $a ${call}) (if (local.get $a) (then (call $line (local.get $a))) (else ${value}))`;
const vector = (place: string): string =>
  place
    .split(/(?<=\)) /)
    .map((part, index) => `(i32.store (i32.const ${4 * index}) ${part})`)
    .join(" ");

function rightsOf({ read, write }: How): string {
  // fd_readdir and what paths begin with is not asked for by rights here.
  return `(i64.const ${(read ? 2 : 0) + (write ? 64 + 256 + 4_194_304 : 0)})`;
}

function oflagsOf({ create, directory, exclusive, truncate }: How): string {
  return `(i32.const ${(create ? 1 : 0) + (directory ? 2 : 0) + (exclusive ? 4 : 0) + (truncate ? 8 : 0)})`;
}

function preview1Calls(texts: Texts): FileCalls {
  const filestat = (path: string, follow: boolean, at: number): string =>
    `(call $path_filestat_get ${fd(at)} (i32.const ${follow ? 1 : 0}) ${texts.at(path)} (i32.const 256))`;
  return {
    open: (slot, path, how, at) =>
      `(call $line (call $path_open ${fd(at)} (i32.const ${how.nofollow ? 0 : 1}) ${texts.at(path)} ${oflagsOf(how)}
         ${rightsOf(how)} (i64.const 0) (i32.const 0) (i32.const 16)))
       (global.set $s${slot} (i32.load (i32.const 16)))`,
    close: (slot) => line(`(call $fd_close ${fd(slot)})`),
    write: (slot, offset, text) =>
      `${vector(texts.at(text))}
       ${line(`(call $fd_pwrite ${fd(slot)} (i32.const 0) (i32.const 1) (i64.const ${offset}) (i32.const 16))`)}`,
    read: (slot, offset, length) =>
      `${vector(`(i32.const 65536) (i32.const ${length})`)}
       ${either(
         `(call $fd_pread ${fd(slot)} (i32.const 0) (i32.const 1) (i64.const ${offset}) (i32.const 16))`,
         "(call $text (i32.const 65536) (i32.load (i32.const 16)))",
       )}`,
    resize: (slot, size) => line(`(call $fd_filestat_set_size ${fd(slot)} (i64.const ${size}))`),
    list: (slot) => `(call $list ${fd(slot)})`,
    mkdir: (path, at) => line(`(call $path_create_directory ${fd(at)} ${texts.at(path)})`),
    rmdir: (path, at) => line(`(call $path_remove_directory ${fd(at)} ${texts.at(path)})`),
    unlink: (path, at) => line(`(call $path_unlink_file ${fd(at)} ${texts.at(path)})`),
    rename: (path, newPath, at, newAt) =>
      line(`(call $path_rename ${fd(at)} ${texts.at(path)} ${fd(newAt)} ${texts.at(newPath)})`),
    link: (path, newPath, follow = false) =>
      line(
        `(call $path_link ${fd()} (i32.const ${follow ? 1 : 0}) ${texts.at(path)} ${fd()} ${texts.at(newPath)})`,
      ),
    symlink: (target, path, at) =>
      line(`(call $path_symlink ${texts.at(target)} ${fd(at)} ${texts.at(path)})`),
    readlink: (path, at) =>
      either(
        `(call $path_readlink ${fd(at)} ${texts.at(path)} (i32.const 65536) (i32.const 5000) (i32.const 16))`,
        "(call $text (i32.const 65536) (i32.load (i32.const 16)))",
      ),
    stat: (path, follow = true, at = 0) =>
      either(
        filestat(path, follow, at),
        `(call $character (i32.const 58)) (call $number (i64.extend_i32_u (i32.load8_u (i32.const 272))))
         (call $character (i32.const 32)) (call $number (i64.load (i32.const 288)))
         (call $character (i32.const 32)) (call $number (i64.load (i32.const 280))) (call $character (i32.const 10))`,
      ),
    modified: (path) =>
      either(
        filestat(path, true, 0),
        `(call $character (i32.const 61)) (call $number (i64.load (i32.const 304))) (call $character (i32.const 10))`,
      ),
  };
}
