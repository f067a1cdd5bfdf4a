import { component, embedded, program, text, typed } from "../components.ts";
import type { Attack } from "./attack.ts";
import { typedModule } from "./modules.ts";

const trap = "ERR_STEP_TRAP";

/** A typed step whose result is what `stores` put at 0, where the result "ok" would lie. */
const result =
  (stores: string, at = "(i32.const 0)"): (() => Promise<Uint8Array>) =>
  () =>
    typed(`${stores} ${at}`, { declarations: text("null") });

const ok = (pointer: number, length: number): string =>
  `(drop (call $ok (i32.const ${pointer}) (i32.const ${length})))`;

const arguing = '(import "wasi:cli/environment@0.2.9" "get-arguments" (func $get-arguments (param i32)))';

/** A typed step that has its arguments passed once more before it ends. */
const reallocating =
  (realloc: string, imports = ""): (() => Promise<Uint8Array>) =>
  () =>
    embedded(typedModule({ imports, realloc }), "typed");

/**
 * A program that logs by hand what lies at 64, with strings in another encoding. `pointer` and `length` are what it
 * says of them.
 */
const logging = (
  encoding: string,
  pointer: number,
  length: number,
  data: string,
  level = 2,
): Promise<Uint8Array> =>
  component(
    `(import "millrace:step/log@0.1.0" (instance $log
       (type $l (enum "trace" "debug" "info" "warn" "error"))
       (export "level" (type $level (eq $l)))
       (export "log" (func (param "level" $level) (param "message" string)))))
     (core module $memory (memory (export "memory") 1) (data (i32.const 64) "${data}"))
     (core instance $memory (instantiate $memory))
     (alias core export $memory "memory" (core memory $mem))
     (core func $log (canon lower (func $log "log") (memory $mem) string-encoding=${encoding}))
     (core module $code (import "" "log" (func $log (param i32 i32 i32)))
       (func $start (call $log (i32.const ${level}) (i32.const ${pointer}) (i32.const ${length})))
       (start $start))
     (core instance (instantiate $code (with "" (instance (export "log" (func $log))))))`,
  );

const texts: readonly (readonly [name: string, artifact: () => Promise<Uint8Array>])[] = [
  ["a lone surrogate in UTF-16", () => logging("utf16", 64, 1, "\\00\\d8")],
  ["surrogates in the wrong order in UTF-16", () => logging("utf16", 64, 2, "\\00\\dc\\00\\d8")],
  ["UTF-16 at an odd address", () => logging("utf16", 65, 1, "aaaa")],
  ["UTF-16 of 2^31 - 1 units", () => logging("utf16", 64, 0x7fff_ffff, "")],
  ["UTF-16 of 2^32 - 1 units", () => logging("utf16", 64, -1, "")],
  ["latin1+utf16 of 2^31 - 1 bytes", () => logging("latin1+utf16", 64, 0x7fff_ffff, "")],
  ["latin1+utf16 of 2^31 - 1 units", () => logging("latin1+utf16", 64, -1, "")],
  ["latin1+utf16 at an odd address", () => logging("latin1+utf16", 65, 1, "aaaa")],
  ["a lone surrogate in latin1+utf16", () => logging("latin1+utf16", 64, -0x7fff_ffff, "\\00\\d8")],
  ["UTF-8 that is cut off", () => logging("utf8", 64, 2, "\\e2\\82")],
  ["a surrogate in UTF-8", () => logging("utf8", 64, 3, "\\ed\\a0\\80")],
  ["UTF-8 longer than it need be", () => logging("utf8", 64, 2, "\\c0\\80")],
  ["UTF-8 of 2^32 - 1 bytes", () => logging("utf8", 64, -1, "")],
  ["text one byte beyond the end of memory", () => logging("utf8", 65_535, 2, "")],
  ["text whose end wraps around", () => logging("utf8", -16, 32, "")],
  ["empty text far out of bounds", () => logging("utf8", -16, 0, "")],
  ["a level that there is not", () => logging("utf8", 64, 1, "a", 5)],
  ["level 2^32 - 1", () => logging("utf8", 64, 1, "a", -1)],
];

/** Lies in what passes between a guest and its host: pointers, lengths, cases, encodings, and code run in between. */
export const abiAttacks: readonly Attack[] = [
  ...texts.map(([name, artifact]): Attack => ({ name, artifact, code: trap })),
  { name: "a result at an odd address", artifact: result(ok(4096, 4), "(i32.const 1)"), code: trap },
  { name: "a result beyond the end", artifact: result("", "(i32.const 65536)"), code: trap },
  { name: "a result half beyond the end", artifact: result("", "(i32.const 65528)"), code: trap },
  { name: "a result at 2^32 - 8", artifact: result("", "(i32.const -8)"), code: trap },
  {
    name: "a case of result that there is not",
    artifact: result("(i32.store8 (i32.const 0) (i32.const 2))"),
    code: trap,
  },
  { name: "case 255 of result", artifact: result("(i32.store8 (i32.const 0) (i32.const 255))"), code: trap },
  {
    name: "a case of failure that there is not",
    artifact: result("(drop (call $error (i32.const 2) (i32.const 4096) (i32.const 4)))"),
    code: trap,
  },
  {
    name: "a case of option that there is not",
    artifact: result(
      "(drop (call $error (i32.const 0) (i32.const 4096) (i32.const 4))) (i32.store8 (i32.const 24) (i32.const 2))",
    ),
    code: trap,
  },
  { name: "output beyond the end", artifact: result(ok(65_536, 1)), code: trap },
  { name: "output one byte longer than memory", artifact: result(ok(65_533, 4)), code: trap },
  { name: "output of 2^31 bytes", artifact: result(ok(4096, -0x8000_0000)), code: trap },
  { name: "output of 2^32 - 1 bytes", artifact: result(ok(4096, -1)), code: trap },
  { name: "output whose end wraps around", artifact: result(ok(-4, 8)), code: trap },
  {
    name: "output that is not UTF-8",
    artifact: () =>
      typed("(call $ok (i32.const 4096) (i32.const 3))", {
        declarations: '(data (i32.const 4096) "\\22\\ff\\22")',
      }),
    code: trap,
  },
  {
    name: "a result that is its own text",
    artifact: result(
      "(i64.store (i32.const 0) (i64.const 0)) (i32.store (i32.const 8) (i32.const 0)) (i32.store (i32.const 12) (i32.const 16))",
    ),
    code: "ERR_STEP_OUTPUT_INVALID",
  },
  { name: "a realloc that traps", artifact: reallocating("(unreachable)"), code: trap },
  {
    name: "a realloc that returns an odd address",
    artifact: reallocating("(local.set $at (i32.add (local.get $at) (i32.const 1)))"),
    code: trap,
  },
  {
    name: "a realloc that returns what is out of bounds",
    artifact: reallocating("(local.set $at (i32.const 65528))"),
    code: trap,
  },
  {
    name: "a realloc that returns 2^32 - 8",
    artifact: reallocating("(local.set $at (i32.const -8))"),
    code: trap,
  },
  {
    name: "a realloc that returns the same place for everything",
    artifact: reallocating("(local.set $at (i32.const 32768))"),
    output: 1,
  },
  {
    name: "a realloc that throws",
    artifact: () => embedded(typedModule({ declarations: "(tag $tag)", realloc: "(throw $tag)" }), "typed"),
    code: trap,
  },
  {
    name: "a realloc that grows memory in between",
    artifact: reallocating("(drop (memory.grow (i32.const 1)))"),
    output: 1,
  },
  {
    name: "a realloc that takes all memory",
    artifact: reallocating(
      "(loop $more (br_if $more (i32.ne (memory.grow (i32.const 1)) (i32.const -1)))) (unreachable)",
    ),
    code: "ERR_STEP_MEMORY",
    message: /refused more memory/,
  },
  {
    name: "a realloc that calls the host",
    artifact: reallocating("(call $get-arguments (i32.const 64))", arguing),
    code: trap,
  },
  {
    name: "a realloc that is called by the host that it called",
    artifact: () =>
      embedded(
        typedModule({
          imports: arguing,
          declarations: "(global $running (mut i32) (i32.const 0))",
          realloc: "(if (global.get $running) (then (call $get-arguments (i32.const 64))))",
          run: "(global.set $running (i32.const 1)) (call $get-arguments (i32.const 64)) (i32.const 1024)",
        }),
        "typed",
      ),
    code: trap,
  },
  {
    name: "a post-return that traps",
    artifact: () => embedded(typedModule({ postReturn: "(unreachable)" }), "typed"),
    code: trap,
  },
  {
    name: "a post-return that calls the host",
    artifact: () =>
      embedded(
        typedModule({ imports: arguing, postReturn: "(call $get-arguments (i32.const 64))" }),
        "typed",
      ),
    code: trap,
  },
  {
    name: "a place for arguments at an odd address",
    artifact: () =>
      embedded(
        typedModule({ imports: arguing, run: "(call $get-arguments (i32.const 66)) (i32.const 1024)" }),
        "typed",
      ),
    code: trap,
  },
  {
    name: "a place for arguments beyond the end",
    artifact: () =>
      embedded(
        typedModule({ imports: arguing, run: "(call $get-arguments (i32.const 65532)) (i32.const 1024)" }),
        "typed",
      ),
    code: trap,
  },
  {
    name: "to write 2^32 - 1 bytes",
    artifact: () =>
      program("(call $write (call $get-stdout) (i32.const 0) (i32.const -1) (i32.const 64)) (i32.const 0)"),
    code: trap,
  },
  {
    name: "to poll a list of 2^31 handles",
    artifact: () =>
      program("(call $poll (i32.const 64) (i32.const -2147483648) (i32.const 32)) (i32.const 0)"),
    code: trap,
  },
  {
    name: "to poll a list of 2^30 handles, whose bytes come to nothing in 32 bits",
    artifact: () =>
      program("(call $poll (i32.const 64) (i32.const 1073741824) (i32.const 32)) (i32.const 0)"),
    code: trap,
  },
  {
    name: "to exit with neither ok nor an error",
    artifact: () => program("(call $exit (i32.const 2)) (i32.const 0)"),
    code: trap,
  },
  {
    name: "to return neither ok nor an error",
    artifact: () => program("(i32.const 7)"),
    code: trap,
  },
];
