import { describe, expect, test } from "vitest";
import type { Harness } from "./harness.ts";
import { tmpProgram } from "./tmp-component.ts";
import { linesOf } from "./tmp-guest.ts";
import type { FileCalls, Texts } from "./tmp-guest.ts";
import { tmpCommand } from "./tmp-preview1.ts";

const make = { read: true, write: true, create: true } as const;
const capabilities = { tmp: true } as const;

type Steps = (fs: FileCalls, texts: Texts) => readonly (readonly [call: string, line: string])[];

async function hold(
  harness: Harness,
  guest: typeof tmpCommand,
  steps: Steps,
  declarations = "",
): Promise<void> {
  let expected: readonly string[] = [];
  const bytes = await guest((fs, texts) => {
    const pairs = steps(fs, texts);
    expected = pairs.flatMap(([, line]) => (line === "" ? [] : [line]));
    return pairs.map(([call]) => call);
  }, declarations);
  const result = await harness.run(bytes, { capabilities });
  expect(linesOf(result)).toEqual(expected);
}

const line = (call: string): string => `(call $line ${call})`;
const number = (value: string): string =>
  `(call $character (i32.const 61)) (call $number ${value}) (call $character (i32.const 10))`;
const u8 = (at: number): string => number(`(i64.extend_i32_u (i32.load8_u (i32.const ${at})))`);
const u16 = (at: number): string => number(`(i64.extend_i32_u (i32.load16_u (i32.const ${at})))`);
const u32 = (at: number): string => number(`(i64.extend_i32_u (i32.load (i32.const ${at})))`);
const u64 = (at: number): string => number(`(i64.load (i32.const ${at}))`);
/** fd_write or fd_read of slot 1 with one vector. */
const vectored = (call: string, at: string, length: number, fd = "(global.get $s1)"): string =>
  `(i32.store (i32.const 0) ${at}) (i32.store (i32.const 4) (i32.const ${length}))
   (call $line (call $${call} ${fd} (i32.const 0) (i32.const 1) (i32.const 16)))`;
const put = (text: string, texts: Texts, fd?: string): string =>
  vectored("fd_write", texts.at(text).split(/(?<=\)) /)[0] ?? "", Buffer.byteLength(text), fd);
const got = "(call $text (i32.const 65536) (i32.load (i32.const 16)))";
const seek = (offset: number, whence: number): string =>
  line(`(call $fd_seek (global.get $s1) (i64.const ${offset}) (i32.const ${whence}) (i32.const 16))`);

/** What only preview 1 has: positions, appending, cookies, numbers of descriptors. */
export function preview1Contract(harness: () => Harness): void {
  describe("over preview 1", () => {
    const holds = (steps: Steps): Promise<void> => hold(harness(), tmpCommand, steps);

    test("is the folder 3, which is called /tmp", () =>
      holds(() => [
        [line("(call $fd_prestat_get (i32.const 3) (i32.const 256))"), "ok"],
        [u32(256), "=0"],
        [u32(260), "=4"],
        [line("(call $fd_prestat_dir_name (i32.const 3) (i32.const 256) (i32.const 4))"), "ok"],
        ["(call $text (i32.const 256) (i32.const 4))", "=/tmp"],
        [line("(call $fd_prestat_dir_name (i32.const 3) (i32.const 256) (i32.const 3))"), "name-too-long"],
        [line("(call $fd_prestat_get (i32.const 4) (i32.const 256))"), "bad-descriptor"],
        [line("(call $fd_prestat_get (i32.const 1) (i32.const 256))"), "bad-descriptor"],
      ]));

    test("gives the lowest number that is free", () =>
      holds((fs) => [
        [fs.open(1, "a", make), "ok"],
        [fs.open(2, "b", make), "ok"],
        [line("(call $fd_close (i32.const 4))"), "ok"],
        [line("(call $fd_close (i32.const 4))"), "bad-descriptor"],
        [line("(call $fd_close (i32.const 0))"), "ok"],
        [fs.open(3, "c", make), "ok"],
        [fs.open(4, "d", make), "ok"],
        [fs.open(5, "e", make), "ok"],
        ...[1, 2, 3, 4, 5].map((slot): readonly [string, string] => [
          number(`(i64.extend_i32_u (global.get $s${slot}))`),
          `=${[4, 5, 0, 4, 6][slot - 1]}`,
        ]),
      ]));

    test("moves a position as it reads and writes", () =>
      holds((fs, texts) => [
        [fs.open(1, "a", make), "ok"],
        [put("hello", texts), "ok"],
        [u32(16), "=5"],
        [put(" world", texts), "ok"],
        [line("(call $fd_tell (global.get $s1) (i32.const 16))"), "ok"],
        [u64(16), "=11"],
        [vectored("fd_read", "(i32.const 65536)", 10), "ok"],
        [got, "="],
        [seek(-5, 2), "ok"],
        [u64(16), "=6"],
        [vectored("fd_read", "(i32.const 65536)", 3), "ok"],
        [got, "=wor"],
        [seek(-8, 1), "ok"],
        [u64(16), "=1"],
        [seek(-2, 1), "invalid"],
        [seek(0, 3), "invalid"],
        [fs.write(1, 0, "H"), "ok"],
        [vectored("fd_read", "(i32.const 65536)", 4), "ok"],
        [got, "=ello"],
        [seek(20, 0), "ok"],
        [put("!", texts), "ok"],
        [fs.stat("a"), ":file 21 1"],
        [
          line("(call $fd_seek (global.get $s0) (i64.const 0) (i32.const 0) (i32.const 16))"),
          "bad-descriptor",
        ],
        [line("(call $fd_seek (i32.const 1) (i64.const 0) (i32.const 0) (i32.const 16))"), "invalid-seek"],
      ]));

    test("writes at the end where it appends", () =>
      holds((fs, texts) => [
        [fs.open(1, "a", make), "ok"],
        [put("one", texts), "ok"],
        [seek(0, 0), "ok"],
        [line("(call $fd_fdstat_set_flags (global.get $s1) (i32.const 1))"), "ok"],
        [put("two", texts), "ok"],
        [fs.write(1, 0, "O"), "ok"],
        [fs.read(1, 0, 10), "=Onetwo"],
        [line("(call $fd_fdstat_get (global.get $s1) (i32.const 256))"), "ok"],
        [u8(256), "=4"],
        [u16(258), "=1"],
      ]));

    test("tells what a descriptor is for", () =>
      holds((fs) => [
        [fs.open(1, "a", { write: true, create: true }), "ok"],
        [line("(call $fd_fdstat_get (global.get $s1) (i32.const 256))"), "ok"],
        // fd_read, fd_write
        [number("(i64.and (i64.load (i32.const 264)) (i64.const 66))"), "=64"],
        [u64(272), "=0"],
        [line("(call $fd_fdstat_get (global.get $s0) (i32.const 256))"), "ok"],
        [u8(256), "=3"],
        [u64(264), "=129498648"],
        [u64(272), `=${2 ** 30 - 1}`],
        [line("(call $fd_fdstat_set_rights (global.get $s1) (i64.const 0) (i64.const 0))"), "unsupported"],
        [line("(call $fd_sync (global.get $s1))"), "ok"],
        [line("(call $fd_sync (global.get $s0))"), "ok"],
        [line("(call $fd_advise (global.get $s1) (i64.const 0) (i64.const 0) (i32.const 5))"), "ok"],
        [line("(call $fd_advise (global.get $s1) (i64.const 0) (i64.const 0) (i32.const 6))"), "invalid"],
        [
          line("(call $fd_advise (global.get $s0) (i64.const 0) (i64.const 0) (i32.const 0))"),
          "bad-descriptor",
        ],
        [line("(call $fd_allocate (global.get $s1) (i64.const 3) (i64.const 4))"), "ok"],
        [fs.stat("a"), ":file 7 1"],
        [line("(call $fd_allocate (global.get $s1) (i64.const 0) (i64.const 2))"), "ok"],
        [fs.stat("a"), ":file 7 1"],
        [line("(call $fd_allocate (global.get $s1) (i64.const 0) (i64.const 0))"), "invalid"],
      ]));

    test("writes only where the right to write was asked for, which no folder has", () => {
      const open = (path: string, flags: number, rights: number): string =>
        line(
          `(call $path_open (global.get $s0) (i32.const 0) ${path} (i32.const ${flags}) (i64.const ${rights}) (i64.const 0) (i32.const 0) (i32.const 16))`,
        );
      return holds((fs, texts) => [
        [fs.open(1, "a", make), "ok"],
        // All of a file's rights but fd_write: Go asks for them to read.
        [open(texts.at("a"), 0, 2 ** 30 - 1 - 64), "ok"],
        ["(global.set $s2 (i32.load (i32.const 16)))", ""],
        [fs.write(2, 0, "x"), "bad-descriptor"],
        [fs.resize(2, 0), "bad-descriptor"],
        [fs.read(2, 0, 1), "="],
        // A folder with the rights that it has, with none, and to be written to.
        [open(texts.at("."), 0, 0x7b7_fe18), "ok"],
        [open(texts.at("."), 2, 0), "ok"],
        [open(texts.at("."), 2, 2 + 64), "is-directory"],
        [open(texts.at("."), 0, 2 ** 30 - 1), "is-directory"],
      ]);
    });

    test("numbers nodes from the folder's 1 on, on device 1", () =>
      holds((fs) => [
        [fs.open(1, "a", make), "ok"],
        [fs.mkdir("b"), "ok"],
        [fs.unlink("a"), "ok"],
        [fs.open(2, "c", make), "ok"],
        ...[1, 2, 4].flatMap((inode, index): (readonly [string, string])[] => [
          [line(`(call $fd_filestat_get (global.get $s${[0, 1, 2][index]}) (i32.const 256))`), "ok"],
          [u64(256), "=1"],
          [u64(264), `=${inode}`],
        ]),
      ]));

    test("sets times", () =>
      holds((fs, texts) => [
        [fs.open(1, "a", make), "ok"],
        [
          line("(call $fd_filestat_set_times (global.get $s1) (i64.const 7) (i64.const 8) (i32.const 5))"),
          "ok",
        ],
        [line("(call $fd_filestat_get (global.get $s1) (i32.const 256))"), "ok"],
        [u64(296), "=7"],
        [u64(304), "=8"],
        [
          line(
            `(call $path_filestat_set_times (global.get $s0) (i32.const 0) ${texts.at("a")} (i64.const 9) (i64.const 9) (i32.const 4))`,
          ),
          "ok",
        ],
        [line("(call $fd_filestat_get (global.get $s1) (i32.const 256))"), "ok"],
        [u64(296), "=7"],
        [u64(304), "=9"],
        [
          line("(call $fd_filestat_set_times (global.get $s1) (i64.const 7) (i64.const 8) (i32.const 3))"),
          "invalid",
        ],
      ]));

    test("reads a folder out piece by piece, while names come and go", () =>
      holds((fs) => [
        ...["a", "b", "c", "d"].map((name): readonly [string, string] => [fs.mkdir(name), "ok"]),
        // `.`, `..`, `a`, and the head of what follows.
        [readdir(0, 24 * 4 + 4), "ok"],
        [u32(16), "=100"],
        [u64(65_536), "=1"],
        [u64(65_544), "=1"],
        [u64(65_536 + 25), "=2"],
        [u64(65_536 + 51), "=3"],
        [u64(65_536 + 59), "=2"],
        [fs.rmdir("a"), "ok"],
        [fs.rmdir("b"), "ok"],
        [fs.mkdir("e"), "ok"],
        [readdir(3, 1000), "ok"],
        [u32(16), "=75"],
        ["(call $text (i32.const 65560) (i32.const 1))", "=c"],
        ["(call $text (i32.const 65585) (i32.const 1))", "=d"],
        ["(call $text (i32.const 65610) (i32.const 1))", "=e"],
        [readdir(1000, 1000), "ok"],
        [u32(16), "=0"],
      ]));

    test("moves descriptors, those of stdin, stdout and stderr too", () =>
      holds((fs, texts) => [
        [fs.open(1, "a", make), "ok"],
        [put("first", texts), "ok"],
        // stderr becomes the file.
        [line("(call $fd_renumber (global.get $s1) (i32.const 2))"), "ok"],
        [put(" second", texts, "(i32.const 2)"), "ok"],
        [put(" third", texts), "bad-descriptor"],
        [fs.open(1, "a", { read: true }), "ok"],
        [fs.read(1, 0, 100), "=first second"],
        [line("(call $fd_renumber (i32.const 40) (i32.const 2))"), "bad-descriptor"],
        [line("(call $fd_renumber (i32.const 2) (i32.const 40))"), "bad-descriptor"],
        [line("(call $fd_renumber (i32.const 2) (i32.const 2))"), "ok"],
      ]));

    test("has so many open at once and no more, and then again", async () => {
      await holds((fs) => [
        [
          `(local.set $b (i32.const 0))
           (loop $next
             ${fs.open(1, "a", make).replace("call $line", "local.set $a")}
             (local.set $b (i32.add (local.get $b) (i32.eqz (local.get $a))))
             (br_if $next (i32.eqz (local.get $a))))
           (call $line (local.get $a)) ${number("(i64.extend_i32_u (local.get $b))")}`,
          "too-many-open",
        ],
        // The folder itself is one of 1,024.
        ["", "=1023"],
        [fs.mkdir("b"), "ok"],
        [line("(call $fd_close (i32.const 9))"), "ok"],
        [fs.open(1, "a", make), "ok"],
        [fs.open(1, "a", make), "too-many-open"],
      ]);
    });

    test("takes paths of UTF-8 alone", () =>
      holds(() => [
        [
          "(i32.store (i32.const 512) (i32.const 0xff)) " +
            line("(call $path_create_directory (i32.const 3) (i32.const 512) (i32.const 1))"),
          "illegal-byte-sequence",
        ],
      ]));
  });
}

const readdir = (cookie: number, length: number): string =>
  line(
    `(call $fd_readdir (global.get $s0) (i32.const 65536) (i32.const ${length}) (i64.const ${cookie}) (i32.const 16))`,
  );

const streamOf = (call: string): string =>
  `${call} (if (i32.load8_u (i32.const 16)) (then (call $line (i32.add (i32.const 1000) (i32.load8_u (i32.const 20)))))
     (else (local.set $a (i32.load (i32.const 20))) (call $line (i32.const 0))))`;
const writeStream = (text: string, texts: Texts): string =>
  `(call $stream-write (local.get $a) ${texts.at(text)} (i32.const 16)) (call $line (i32.load8_u (i32.const 16)))`;
const readStream = (length: number): string =>
  `(call $stream-read (local.get $a) (i64.const ${length}) (i32.const 16))
   (if (i32.load8_u (i32.const 16))
     ;; closed is the second case of a stream's error.
     (then (call $line (i32.add (i32.const 100) (i32.load8_u (i32.const 20)))))
     (else (call $text (i32.load (i32.const 20)) (i32.load (i32.const 24)))))`;

/** What only wasi:filesystem has: streams, flags, and whether two descriptors are of one object. */
export function componentContract(harness: () => Harness): void {
  describe("over wasi:filesystem", () => {
    const holds = (steps: Steps): Promise<void> => hold(harness(), tmpProgram, steps);

    test("reads and writes by streams", () =>
      holds((fs, texts) => [
        [fs.open(1, "a", make), "ok"],
        [streamOf("(call $write-via-stream (global.get $s1) (i64.const 2) (i32.const 16))"), "ok"],
        [writeStream("two", texts), "ok"],
        [writeStream("three", texts), "ok"],
        ["(call $drop-output (local.get $a))", ""],
        [fs.read(1, 0, 100), "=\0\0twothree"],
        [streamOf("(call $append-via-stream (global.get $s1) (i32.const 16))"), "ok"],
        [fs.write(1, 10, "four"), "ok"],
        [writeStream("five", texts), "ok"],
        ["(call $drop-output (local.get $a))", ""],
        [streamOf("(call $read-via-stream (global.get $s1) (i64.const 5) (i32.const 16))"), "ok"],
        [readStream(5), "=three"],
        [readStream(100), "=fourfive"],
        [readStream(100), "101"],
        [fs.write(1, 18, "six"), "ok"],
        [readStream(100), "=six"],
        ["(call $drop-input (local.get $a))", ""],
        [fs.open(2, "a", { read: true }), "ok"],
        [
          streamOf("(call $write-via-stream (global.get $s2) (i64.const 0) (i32.const 16))"),
          "bad-descriptor",
        ],
        [streamOf("(call $append-via-stream (global.get $s2) (i32.const 16))"), "bad-descriptor"],
        [streamOf("(call $read-via-stream (global.get $s0) (i64.const 0) (i32.const 16))"), "is-directory"],
      ]));

    test("has a stream's file until the stream is dropped", () =>
      holds((fs) => [
        [fs.open(1, "a", make), "ok"],
        [fs.write(1, 0, "text"), "ok"],
        [streamOf("(call $read-via-stream (global.get $s1) (i64.const 0) (i32.const 16))"), "ok"],
        [fs.close(1), "ok"],
        [fs.unlink("a"), "ok"],
        [readStream(100), "=text"],
      ]));

    test("tells flags, types and what is the same", () =>
      holds((fs) => [
        [fs.open(1, "a", { write: true, create: true }), "ok"],
        [fs.open(2, "a", { read: true }), "ok"],
        [fs.open(3, "b", make), "ok"],
        // result<flags>: the value at 17.
        ["(call $get-flags (global.get $s1) (i32.const 16))", ""],
        [u8(17), "=2"],
        ["(call $get-flags (global.get $s0) (i32.const 16))", ""],
        [u8(17), "=33"],
        ["(call $get-type (global.get $s1) (i32.const 16))", ""],
        [u8(17), "=6"],
        [line("(call $is-same-object (global.get $s1) (global.get $s2))"), "1"],
        [line("(call $is-same-object (global.get $s1) (global.get $s3))"), "ok"],
        ["(call $metadata-hash (global.get $s2) (i32.const 16))", ""],
        [u64(24), "=2"],
        [u64(32), "=0"],
        ["(call $sync (global.get $s1) (i32.const 16)) (call $done)", "ok"],
      ]));

    test("has so many open at once and no more, and then again", () =>
      holds((fs, texts) => [
        [
          `(local.set $b (i32.const 0))
           (block $full
             (loop $next
               (call $open-at (global.get $s0) (i32.const 0) ${texts.at("a")} (i32.const 1) (i32.const 3) (i32.const 16))
               (br_if $full (i32.load8_u (i32.const 16)))
               (global.set $s1 (i32.load (i32.const 20)))
               (local.set $b (i32.add (local.get $b) (i32.const 1)))
               (br $next)))
           (call $line (i32.add (i32.const 1000) (i32.load8_u (i32.const 20))))
           ${number("(i64.extend_i32_u (local.get $b))")}`,
          "insufficient-memory",
        ],
        ["", "=1023"],
        [fs.close(1), "ok"],
        [fs.open(1, "b", make), "ok"],
        [fs.open(1, "b", make), "insufficient-memory"],
      ]));
  });
}
