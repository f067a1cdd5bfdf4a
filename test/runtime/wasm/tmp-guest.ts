import type { AttemptResult } from "../../../runtime/driver.ts";
import { faults } from "../../../runtime/wasm/v8/tmp/fault.ts";

/** How a path is opened. */
export interface How {
  readonly read?: true;
  readonly write?: true;
  readonly create?: true;
  readonly directory?: true;
  readonly exclusive?: true;
  readonly truncate?: true;
  /** Not through a symbolic link at the path's end. */
  readonly nofollow?: true;
}

/**
 * What a guest does with files, as WAT that prints a line: `ok`, the name of what was wrong, or `=` and a value. Open
 * files stand in slots; slot 0 is the folder /tmp, and the slot given last is the folder that the path begins at.
 */
export interface FileCalls {
  open(slot: number, path: string, how: How, at?: number): string;
  close(slot: number): string;
  write(slot: number, offset: number | bigint, text: string): string;
  read(slot: number, offset: number | bigint, length: number): string;
  resize(slot: number, size: number | bigint): string;
  list(slot: number): string;
  mkdir(path: string, at?: number): string;
  rmdir(path: string, at?: number): string;
  unlink(path: string, at?: number): string;
  rename(path: string, newPath: string, at?: number, newAt?: number): string;
  link(path: string, newPath: string, follow?: boolean): string;
  symlink(target: string, path: string, at?: number): string;
  readlink(path: string, at?: number): string;
  /** `:`, its type, size and links. */
  stat(path: string, follow?: boolean, at?: number): string;
  /** When it was last modified, in nanoseconds. */
  modified(path: string): string;
}

/** Texts of a guest, each once, as an address and a length. */
export interface Texts {
  at(text: string): string;
  data(): string;
}

const firstText = 4096;

export function createTexts(): Texts {
  const places = new Map<string, number>();
  let end = firstText;
  return {
    at(text) {
      const place = places.get(text) ?? end;
      if (!places.has(text)) {
        places.set(text, place);
        end += Buffer.byteLength(text);
      }
      return `(i32.const ${place}) (i32.const ${Buffer.byteLength(text)})`;
    },
    data: () =>
      [...places].map(([text, place]) => `(data (i32.const ${place}) "${escaped(text)}")`).join("\n"),
  };
}

function escaped(text: string): string {
  return Buffer.from(text)
    .toString("hex")
    .replaceAll(/../g, String.raw`\$&`);
}

/** Globals for the slots, and functions that print the lines, on `$put` (address, length). */
export const printing = `
  ${Array.from({ length: 10 }, (_, slot) => `(global $s${slot} (mut i32) (i32.const 0))`).join("\n")}
  (func $number (param $number i64)
    (local $at i32)
    (local.set $at (i32.const 128))
    (loop $next
      (local.set $at (i32.sub (local.get $at) (i32.const 1)))
      (i32.store8 (local.get $at) (i32.add (i32.const 48) (i32.wrap_i64 (i64.rem_u (local.get $number) (i64.const 10)))))
      (local.set $number (i64.div_u (local.get $number) (i64.const 10)))
      (br_if $next (i64.ne (local.get $number) (i64.const 0))))
    (call $put (local.get $at) (i32.sub (i32.const 128) (local.get $at))))
  (func $character (param $code i32)
    (i32.store8 (i32.const 128) (local.get $code))
    (call $put (i32.const 128) (i32.const 1)))
  (func $line (param $code i32)
    (call $number (i64.extend_i32_u (local.get $code)))
    (call $character (i32.const 10)))
  (func $text (param $at i32) (param $length i32)
    (call $character (i32.const 61))
    (call $put (local.get $at) (local.get $length))
    (call $character (i32.const 10)))`;

const byNumber = new Map<number, string>([
  [0, "ok"],
  [33, "too-many-open"],
  ...Object.entries(faults).map(([name, number]): [number, string] => [number, name]),
  ...Object.keys(faults).map((name, index): [number, string] => [1000 + index, name]),
]);

/** Types of nodes, as preview 1 (4 and 7) and wasi:filesystem (5 and 6) number them. */
const kinds = new Map([
  [3, "directory"],
  [4, "file"],
  [5, "link"],
  [6, "file"],
  [7, "link"],
]);

/** The lines that a guest printed, with names for its numbers. */
export function linesOf(result: AttemptResult): readonly string[] {
  if (!result.ok) throw new Error(JSON.stringify(result));
  // A number alone is JSON; text is without its last line break.
  const { output } = result;
  return (typeof output === "string" ? output : JSON.stringify(output)).split("\n").map((line) => {
    if (line.startsWith(":")) return line.replace(/\d/, (kind) => kinds.get(Number(kind)) ?? kind);
    return byNumber.get(/^\d+$/.test(line) ? Number(line) : -1) ?? line;
  });
}
