import { describe, expect, test } from "vitest";
import { linesOf } from "../tmp-guest.ts";
import type { FileCalls } from "../tmp-guest.ts";
import { tmpProgram } from "../tmp-component.ts";
import { tmpCommand } from "../tmp-preview1.ts";
import type { Harness } from "../harness.ts";
import type { Attack } from "./attack.ts";

const capabilities = { tmp: true } as const;
const make = { read: true, write: true, create: true } as const;
const tmpBytes = 1_000_000;
const granted = { capabilities, limits: { tmpBytes } } as const;
const tooMuch = { code: "ERR_STEP_TMP", message: /over the limit of 1000000\./ } as const;
const tooMany = { code: "ERR_STEP_TMP", message: /has 10001 files and folders .*limit of 10000\./ } as const;

const ever = (call: string): string => `(loop $more ${call} (br $more))`;

/** Writes a number in eight digits to 1024: a name for as many files as one likes. */
const naming = `
  (func $name (param $number i32)
    (local $at i32)
    (local.set $at (i32.const 1032))
    (loop $next
      (local.set $at (i32.sub (local.get $at) (i32.const 1)))
      (i32.store8 (local.get $at) (i32.add (i32.const 97) (i32.and (local.get $number) (i32.const 15))))
      (local.set $number (i32.shr_u (local.get $number) (i32.const 4)))
      (br_if $next (i32.gt_u (local.get $at) (i32.const 1024)))))`;
const named = "(i32.const 1024) (i32.const 8)";
const nextName = "(local.set $a (i32.add (local.get $a) (i32.const 1))) (call $name (local.get $a))";

/** A flood over preview 1: with names in 1024, in the folder of slot 0. */
const flood = (name: string, body: string, expected: Partial<Attack>): Attack => ({
  name,
  artifact: () => tmpCommand(() => [ever(body)], naming),
  ...granted,
  ...expected,
});

const opening = (at = "(global.get $s0)", how = 1, rights = -1): string =>
  `(drop (call $path_open ${at} (i32.const 1) ${named} (i32.const ${how}) (i64.const ${rights}) (i64.const 0) (i32.const 0) (i32.const 16)))`;
const closing = "(drop (call $fd_close (i32.load (i32.const 16))))";

/** Ways to fill the host's memory through a folder that has a limit. */
const fillingAttacks: readonly Attack[] = [
  flood("with empty files", `${nextName} ${opening()} ${closing}`, tooMany),
  flood("with empty files that stay open", `${nextName} ${opening()}`, {
    code: "ERR_STEP_TIMEOUT",
    limits: { tmpBytes, wallMs: 300 },
  }),
  flood(
    "with folders",
    `${nextName} (drop (call $path_create_directory (global.get $s0) ${named}))`,
    tooMany,
  ),
  flood("with links", `${nextName} (drop (call $path_symlink ${named} (global.get $s0) ${named}))`, tooMany),
  {
    name: "with names of one file",
    artifact: () =>
      tmpCommand(
        (fs, texts) => [
          fs.open(1, "a", make),
          ever(
            `${nextName} (drop (call $path_link (global.get $s0) (i32.const 0) ${texts.at("a")} (global.get $s0) ${named}))`,
          ),
        ],
        naming,
      ),
    ...granted,
    ...tooMany,
  },
  flood(
    "with folders in folders, each made from the one above",
    `(call $name (i32.const 0))
     (drop (call $path_create_directory (global.get $s0) ${named}))
     ${opening("(global.get $s0)", 2, 0)}
     (if (i32.ne (global.get $s0) (i32.const 3)) (then (drop (call $fd_close (global.get $s0)))))
     (global.set $s0 (i32.load (i32.const 16)))`,
    tooMany,
  ),
  {
    name: "with bytes, appended without an end",
    artifact: () =>
      tmpCommand((fs) => [
        fs.open(1, "a", make),
        `(i32.store (i32.const 4) (i32.const 65536))
         ${ever("(drop (call $fd_write (global.get $s1) (i32.const 0) (i32.const 1) (i32.const 16)))")}`,
      ]),
    ...granted,
    ...tooMuch,
  },
  {
    name: "with the same page ten thousand times by one call",
    artifact: () =>
      tmpCommand((fs) => [
        fs.open(1, "a", make),
        `(local.set $a (i32.const 16384))
         (loop $next
           (i32.store offset=4 (local.get $a) (i32.const 65536))
           (local.set $a (i32.add (local.get $a) (i32.const 8)))
           (br_if $next (i32.lt_u (local.get $a) (i32.const 96384))))
         (drop (call $fd_write (global.get $s1) (i32.const 16384) (i32.const 10000) (i32.const 16)))`,
      ]),
    ...granted,
    ...tooMuch,
  },
  ...[2n ** 20n, 2n ** 32n, 2n ** 40n, 2n ** 63n, 2n ** 64n - 2n].flatMap((size): readonly Attack[] => [
    {
      name: `by a file of ${size} bytes with nothing in it`,
      artifact: () => tmpProgram((fs) => [fs.open(1, "a", make), fs.resize(1, size)]),
      ...granted,
      ...tooMuch,
    },
    {
      name: `by a byte at ${size}`,
      artifact: () => tmpCommand((fs) => [fs.open(1, "a", make), fs.write(1, size, "x")]),
      ...granted,
      ...tooMuch,
    },
    {
      name: `by asking for ${size} bytes of space`,
      artifact: () =>
        tmpCommand((fs) => [
          fs.open(1, "a", make),
          `(drop (call $fd_allocate (global.get $s1) (i64.const ${size}) (i64.const ${size})))`,
        ]),
      ...granted,
      ...tooMuch,
    },
  ]),
  {
    name: "with files that only streams hold any more",
    artifact: () =>
      tmpProgram((fs, texts) => [
        `(loop $more
           ${fs.open(1, "a", make).replace("(call $line (i32.const 0))", "")}
           (call $set-size (global.get $s1) (i64.const 50000) (i32.const 16))
           (call $read-via-stream (global.get $s1) (i64.const 0) (i32.const 16))
           (call $drop (global.get $s1))
           (call $unlink-file-at (global.get $s0) ${texts.at("a")} (i32.const 16))
           (br $more))`,
      ]),
    ...granted,
    ...tooMuch,
  },
  {
    name: "by zeroes of a stream without an end",
    artifact: () =>
      tmpProgram((fs) => [
        fs.open(1, "a", make),
        `(call $append-via-stream (global.get $s1) (i32.const 16))
         (call $write-zeroes (i32.load (i32.const 20)) (i64.const -1) (i32.const 16))`,
      ]),
    ...granted,
    ...tooMuch,
  },
  {
    name: "while it lists what it makes",
    artifact: () =>
      tmpProgram(
        (fs) => [
          `(call $read-directory (global.get $s0) (i32.const 16))
           (local.set $b (i32.load (i32.const 20)))
           (loop $more
             ${nextName}
             (call $create-directory-at (global.get $s0) ${named} (i32.const 16))
             (call $read-entry (local.get $b) (i32.const 256))
             (br_if $more (i32.load8_u (i32.const 260))))`,
          fs.list(0),
        ],
        naming,
      ),
    ...granted,
    ...tooMany,
  },
];

/** What a guest may not get out of the calls with numbers that no honest one has. */
const lyingAttacks: readonly Attack[] = [
  {
    name: "by descriptors that it makes up",
    artifact: () =>
      tmpCommand((fs) =>
        [4, 63, 1024, -1, 2 ** 31 - 1, -(2 ** 31)].map(
          (fd) => `(global.set $s1 (i32.const ${fd})) ${fs.open(2, "a", make, 1)} ${fs.read(1, 0, 1)}`,
        ),
      ),
    ...granted,
    output: Array.from({ length: 12 }, () => "8\n")
      .join("")
      .trimEnd(),
  },
  {
    name: "by closing the folder and what else is open",
    artifact: () =>
      tmpCommand((fs) => [
        fs.mkdir("a"),
        ...[0, 2, 3, 4].map((fd) => `(drop (call $fd_close (i32.const ${fd})))`),
        fs.mkdir("b"),
        fs.open(1, "..", { read: true }),
      ]),
    ...granted,
    output: "0\n8\n8",
  },
  {
    name: "by a cookie that no name has",
    artifact: () =>
      tmpCommand((fs) => [
        fs.mkdir("a"),
        ...[4n, 2n ** 32n, 2n ** 63n, 2n ** 64n - 1n].map(
          (cookie) =>
            `(drop (call $fd_readdir (global.get $s0) (i32.const 65536) (i32.const 1000) (i64.const ${cookie}) (i32.const 16)))
             (call $line (i32.load (i32.const 16)))`,
        ),
      ]),
    ...granted,
    output: "0\n0\n0\n0\n0",
  },
  ...(
    [
      ["a path", "(call $path_create_directory (global.get $s0) (i32.const 131000) (i32.const 1000))"],
      ["a path of 4 GiB", "(call $path_create_directory (global.get $s0) (i32.const 0) (i32.const -1))"],
      [
        "a listing",
        "(call $fd_readdir (global.get $s0) (i32.const 131071) (i32.const 2) (i64.const 0) (i32.const 16))",
      ],
      ["what is known of a file", "(call $fd_filestat_get (global.get $s0) (i32.const 131010))"],
      [
        "a descriptor's number",
        "(call $path_open (global.get $s0) (i32.const 0) (i32.const 4096) (i32.const 1) (i32.const 1) (i64.const 2) (i64.const 2) (i32.const 0) (i32.const 131070))",
      ],
    ] as const
  ).map(([what, call]): Attack => ({
    name: `by ${what} that leads out of its memory`,
    artifact: () =>
      tmpCommand((fs, texts) => [`(drop ${call})`, `(drop (i32.const 0)) ;; ${texts.at("a")}`, fs.list(0)]),
    ...granted,
    code: "ERR_STEP_TRAP",
  })),
  {
    name: "by the handle of another kind",
    artifact: () =>
      tmpProgram((fs) => [
        `(call $read-directory (global.get $s0) (i32.const 16)) (global.set $s1 (i32.load (i32.const 20)))`,
        fs.open(2, "a", make, 1),
      ]),
    ...granted,
    code: "ERR_STEP_TRAP",
    message: /handle/,
  },
  {
    name: "by a folder that it has dropped",
    artifact: () => tmpProgram((fs) => [fs.close(0), fs.mkdir("a")]),
    ...granted,
    code: "ERR_STEP_TRAP",
    message: /handle/,
  },
  {
    name: "by writing and emptying a file for ever",
    artifact: () =>
      tmpProgram((fs) => [
        fs.open(1, "a", make),
        ever(
          `(call $set-size (global.get $s1) (i64.const 900000) (i32.const 16))
           (call $set-size (global.get $s1) (i64.const 1) (i32.const 16))`,
        ),
      ]),
    capabilities,
    limits: { tmpBytes, wallMs: 300 },
    code: "ERR_STEP_TIMEOUT",
    message: /300 ms/,
  },
];

const outside = [
  "/",
  "/etc/passwd",
  "/proc/self/environ",
  "/tmp/x",
  "..",
  "../..",
  "../tmp",
  "out",
  "out/etc",
  "far/x",
  "a/up/x",
];

/** Every call that takes a path, with one that leads out; all that is made there is a link and a folder. */
const leaving = (fs: FileCalls): readonly string[] =>
  outside.flatMap((path) => [
    fs.open(1, path, { read: true }),
    fs.open(1, path, make),
    fs.stat(path),
    fs.mkdir(`${path}/y`),
    fs.rmdir(`${path}/y`),
    fs.unlink(`${path}/y`),
    fs.symlink("z", `${path}/y`),
    fs.readlink(`${path}/y`),
    fs.rename("a", `${path}/y`),
    fs.rename(`${path}/y`, "b"),
    fs.link("f", `${path}/y`),
    fs.link(`${path}/y`, "b"),
  ]);

const leavingAttacks: readonly Attack[] = (
  [
    ["a command", tmpCommand, 63],
    ["a component", tmpProgram, 1000 + 31],
  ] as const
).map(([kind, guest, notPermitted]) => ({
  name: `by every call and path of ${kind}`,
  artifact: () =>
    guest((fs) => [
      ...[
        fs.mkdir("a"),
        fs.open(9, "f", make),
        fs.symlink("..", "out"),
        fs.symlink("out/../out", "far"),
        fs.symlink("../../x", "a/up"),
      ].map((call) =>
        call
          .replace("call $line", "drop")
          .replace("(call $done)", "")
          .replaceAll("(call $line (i32.const 0))", ""),
      ),
      ...leaving(fs),
    ]),
  ...granted,
  output: Array.from({ length: 12 * outside.length }, () => notPermitted).join("\n"),
}));

/** What a step with /tmp tries; the same for every engine. */
export const tmpThemes: readonly (readonly [theme: string, attacks: readonly Attack[]])[] = [
  ["to leave /tmp", leavingAttacks],
  ["to fill /tmp", fillingAttacks],
  ["to lie about /tmp", lyingAttacks],
];

/** Races that a guest with one thread can run: what it opened is moved or replaced while a path leads through it. */
export function tmpLeftovers(harness: () => Harness): void {
  describe("with /tmp", () => {
    test("to swap a folder for a link out of it, again and again", async () => {
      const calls = (fs: FileCalls): readonly string[] => [
        fs.mkdir("a"),
        fs.mkdir("b"),
        fs.open(1, "b/f", make),
        fs.symlink("..", "link"),
        ...Array.from({ length: 50 }, () => [
          fs.rename("b", "c"),
          fs.rename("link", "b"),
          fs.open(2, "b/f", { read: true }),
          fs.rename("b", "link"),
          fs.rename("c", "b"),
          fs.open(2, "b/f", { read: true }),
          fs.close(2),
        ]).flat(),
      ];
      for (const guest of [tmpCommand, tmpProgram]) {
        const lines = linesOf(await harness().run(await guest(calls), { capabilities }));
        expect(lines.slice(4)).toEqual(
          Array.from({ length: 50 }, () => ["ok", "ok", "not-permitted", "ok", "ok", "ok", "ok"]).flat(),
        );
      }
    });

    test("to leave files, descriptors and bytes for the next attempt", async () => {
      const [leave, look] = await Promise.all([
        tmpCommand((fs) => [
          fs.open(1, "secret", make),
          fs.write(1, 0, "s".repeat(50_000)),
          `(loop $more ${fs.open(2, "x", make).replace("call $line", "local.set $a")} (br_if $more (i32.eqz (local.get $a))))`,
        ]),
        tmpCommand((fs) => [
          fs.list(0),
          fs.open(1, "new", make),
          fs.resize(1, 50_000),
          fs.read(1, 0, 50_000),
          "(call $line (global.get $s1))",
        ]),
      ]);
      for (let round = 0; round < 3; round++) {
        await Promise.all([1, 2, 3, 4].map(() => harness().run(leave, { capabilities })));
        const lines = linesOf(await harness().run(look, { capabilities }));
        expect(lines).toEqual(["=", "ok", "ok", `=${"\0".repeat(50_000)}`, "4"]);
      }
    });

    test("to have it although it was granted to another step alone", async () => {
      const bytes = await tmpCommand((fs) => [fs.mkdir("a")]);
      for (let round = 0; round < 3; round++) {
        expect(linesOf(await harness().run(bytes, { capabilities }))).toEqual(["ok"]);
        expect(linesOf(await harness().run(bytes))).toEqual(["bad-descriptor"]);
      }
    });
  });
}
