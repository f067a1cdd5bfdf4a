import { embedded } from "./components.ts";
import { createTexts, printing } from "./tmp-guest.ts";
import type { FileCalls, How, Texts } from "./tmp-guest.ts";

/** Methods of a descriptor, and what they take behind it. */
const methods: Readonly<Record<string, string>> = {
  "open-at": "i32 i32 i32 i32 i32 i32",
  "create-directory-at": "i32 i32 i32",
  "remove-directory-at": "i32 i32 i32",
  "unlink-file-at": "i32 i32 i32",
  "rename-at": "i32 i32 i32 i32 i32 i32",
  "link-at": "i32 i32 i32 i32 i32 i32 i32",
  "symlink-at": "i32 i32 i32 i32 i32",
  "readlink-at": "i32 i32 i32",
  "stat-at": "i32 i32 i32 i32",
  "read-directory": "i32",
  "read-via-stream": "i64 i32",
  "write-via-stream": "i64 i32",
  "append-via-stream": "i32",
  read: "i64 i64 i32",
  write: "i32 i32 i64 i32",
  "set-size": "i64 i32",
  "get-type": "i32",
  "get-flags": "i32",
  sync: "i32",
  "metadata-hash": "i32",
};

const types = "wasi:filesystem/types@0.2.9";
const streams = "wasi:io/streams@0.2.9";
const imports = `
  ${Object.entries(methods)
    .map(
      ([name, parameters]) =>
        `(import "${types}" "[method]descriptor.${name}" (func $${name} (param i32 ${parameters})))`,
    )
    .join("\n")}
  (import "${types}" "[method]descriptor.is-same-object" (func $is-same-object (param i32 i32) (result i32)))
  (import "${types}" "[method]directory-entry-stream.read-directory-entry" (func $read-entry (param i32 i32)))
  (import "${types}" "[resource-drop]descriptor" (func $drop (param i32)))
  (import "${types}" "[resource-drop]directory-entry-stream" (func $drop-listing (param i32)))
  (import "wasi:filesystem/preopens@0.2.9" "get-directories" (func $get-directories (param i32)))
  (import "wasi:cli/stdout@0.2.9" "get-stdout" (func $get-stdout (result i32)))
  (import "${streams}" "[method]input-stream.blocking-read" (func $stream-read (param i32 i64 i32)))
  (import "${streams}" "[method]output-stream.blocking-write-and-flush" (func $stream-write (param i32 i32 i32 i32)))
  (import "${streams}" "[method]output-stream.blocking-write-zeroes-and-flush" (func $write-zeroes (param i32 i64 i32)))
  (import "${streams}" "[resource-drop]input-stream" (func $drop-input (param i32)))
  (import "${streams}" "[resource-drop]output-stream" (func $drop-output (param i32)))`;

const allocating = `
  (global $top (mut i32) (i32.const 65536))
  (func $realloc (export "cabi_realloc") (param $old i32) (param $old-length i32) (param $align i32) (param $length i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $top) (i32.const 15)) (i32.const -16)))
    (global.set $top (i32.add (local.get $at) (local.get $length)))
    (block $fits
      (br_if $fits (i32.le_u (global.get $top) (i32.mul (memory.size) (i32.const 65536))))
      (br_if $fits (i32.ne (memory.grow (i32.add (i32.div_u (local.get $length) (i32.const 65536)) (i32.const 1))) (i32.const -1)))
      (unreachable))
    (local.get $at))`;

/** A component (wasi:cli/run) of these calls, one after another; `declarations` are more functions. */
export function tmpProgram(
  calls: (fs: FileCalls, texts: Texts) => readonly string[],
  declarations = "",
): Promise<Uint8Array> {
  const texts = createTexts();
  const body = calls(componentCalls(texts), texts).join("\n");
  return embedded(
    `(module
      ${imports}
      (memory (export "memory") 2)
      ${allocating}
      (global $stdout (mut i32) (i32.const 0))
      (func $put (param $at i32) (param $length i32)
        (call $stream-write (global.get $stdout) (local.get $at) (local.get $length) (i32.const 240)))
      ${printing}
      ;; A line of the result<_, error-code> at 16.
      (func $done
        (call $line (select (i32.add (i32.const 1000) (i32.load8_u (i32.const 17))) (i32.const 0) (i32.load8_u (i32.const 16)))))
      ${listing}
      ${declarations}
      ${texts.data()}
      (func (export "wasi:cli/run@0.2.9#run") (result i32) (local $a i32) (local $b i32)
        (global.set $stdout (call $get-stdout))
        (call $get-directories (i32.const 16))
        (if (i32.load (i32.const 20)) (then (global.set $s0 (i32.load (i32.load (i32.const 16))))))
        ${body}
        (i32.const 0)))`,
    "program",
  );
}

/** Prints the names in a folder, with spaces between. */
const listing = `
  (func $list (param $folder i32)
    (local $listing i32)
    (call $read-directory (local.get $folder) (i32.const 16))
    (if (i32.load8_u (i32.const 16))
      (then (call $line (i32.add (i32.const 1000) (i32.load8_u (i32.const 20)))) (return)))
    (local.set $listing (i32.load (i32.const 20)))
    (call $character (i32.const 61))
    (block $done
      (loop $next
        (call $read-entry (local.get $listing) (i32.const 256))
        ;; result at 256, option at 260, record at 264: type, then the name
        (br_if $done (i32.eqz (i32.load8_u (i32.const 260))))
        (call $put (i32.load (i32.const 268)) (i32.load (i32.const 272)))
        (call $character (i32.const 32))
        (br $next)))
    (call $drop-listing (local.get $listing))
    (call $character (i32.const 10)))`;

const self = (slot = 0): string => `(global.get $s${slot})`;
const done = (call: string): string => `${call} (call $done)`;
/** What prints the value of a result at 16, or a line of its error, whose place depends on the value's alignment. */
const either = (call: string, value: string, errorAt: number): string =>
  `${call} (if (i32.load8_u (i32.const 16))
     (then (call $line (i32.add (i32.const 1000) (i32.load8_u (i32.const ${errorAt})))))
     (else ${value}))`;
const number = (value: string): string => `(call $number ${value})`;
const character = (code: number): string => `(call $character (i32.const ${code}))`;

function openFlagsOf({ create, directory, exclusive, truncate }: How): string {
  return `(i32.const ${(create ? 1 : 0) + (directory ? 2 : 0) + (exclusive ? 4 : 0) + (truncate ? 8 : 0)})`;
}

function componentCalls(texts: Texts): FileCalls {
  const follows = (follow: boolean): string => `(i32.const ${follow ? 1 : 0})`;
  const stat = (path: string, follow: boolean, at: number): string =>
    `(call $stat-at ${self(at)} ${follows(follow)} ${texts.at(path)} (i32.const 16))`;
  return {
    open: (slot, path, how, at) =>
      either(
        `(call $open-at ${self(at)} ${follows(!how.nofollow)} ${texts.at(path)} ${openFlagsOf(how)}
           (i32.const ${(how.read ? 1 : 0) + (how.write ? 2 : 0)}) (i32.const 16))`,
        `(call $line (i32.const 0)) (global.set $s${slot} (i32.load (i32.const 20)))`,
        20,
      ),
    close: (slot) => `(call $drop ${self(slot)}) (call $line (i32.const 0))`,
    write: (slot, offset, text) =>
      either(
        `(call $write ${self(slot)} ${texts.at(text)} (i64.const ${offset}) (i32.const 16))`,
        "(call $line (i32.const 0))",
        24,
      ),
    read: (slot, offset, length) =>
      either(
        `(call $read ${self(slot)} (i64.const ${length}) (i64.const ${offset}) (i32.const 16))`,
        "(call $text (i32.load (i32.const 20)) (i32.load (i32.const 24)))",
        20,
      ),
    resize: (slot, size) => done(`(call $set-size ${self(slot)} (i64.const ${size}) (i32.const 16))`),
    list: (slot) => `(call $list ${self(slot)})`,
    mkdir: (path, at) => done(`(call $create-directory-at ${self(at)} ${texts.at(path)} (i32.const 16))`),
    rmdir: (path, at) => done(`(call $remove-directory-at ${self(at)} ${texts.at(path)} (i32.const 16))`),
    unlink: (path, at) => done(`(call $unlink-file-at ${self(at)} ${texts.at(path)} (i32.const 16))`),
    rename: (path, newPath, at, newAt) =>
      done(
        `(call $rename-at ${self(at)} ${texts.at(path)} ${self(newAt)} ${texts.at(newPath)} (i32.const 16))`,
      ),
    link: (path, newPath, follow = false) =>
      done(
        `(call $link-at ${self()} ${follows(follow)} ${texts.at(path)} ${self()} ${texts.at(newPath)} (i32.const 16))`,
      ),
    symlink: (target, path, at) =>
      done(`(call $symlink-at ${self(at)} ${texts.at(target)} ${texts.at(path)} (i32.const 16))`),
    readlink: (path, at) =>
      either(
        `(call $readlink-at ${self(at)} ${texts.at(path)} (i32.const 16))`,
        "(call $text (i32.load (i32.const 20)) (i32.load (i32.const 24)))",
        20,
      ),
    stat: (path, follow = true, at = 0) =>
      either(
        stat(path, follow, at),
        // The record begins at 24: type, links, size.
        [
          character(58),
          number("(i64.extend_i32_u (i32.load8_u (i32.const 24)))"),
          character(32),
          number("(i64.load (i32.const 40))"),
          character(32),
          number("(i64.load (i32.const 32))"),
          character(10),
        ].join(" "),
        24,
      ),
    modified: (path) =>
      either(
        stat(path, true, 0),
        // The second of the record's times: an option at 72, its record of seconds and nanoseconds at 80.
        `${character(61)} ${number(`(i64.add
           (i64.mul (i64.load (i32.const 80)) (i64.const 1000000000))
           (i64.extend_i32_u (i32.load (i32.const 88))))`)} ${character(10)}`,
        24,
      ),
  };
}
